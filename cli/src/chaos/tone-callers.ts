import { type LocalFleet, placeCall, type SipCall } from '@callfleet/testkit';

/** A caller with a tone of its own, which a bot gives back. */
export interface ToneCaller {
  readonly call: SipCall;
  /** Its number. */
  readonly caller: string;
  readonly toneHz: number;
}

/** So many callers at extension 100, in turn on each PBX. Resolves when each hears its tone. */
export function placeToneCallers(system: LocalFleet, count: number): Promise<ToneCaller[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const pbx = system.pbxs[n % system.pbxs.length];
      if (!pbx) throw new Error('no PBX');
      const toneHz = 400 + n * 60;
      const caller = String(7001 + n);
      const call = await placeCall({ to: pbx.sipAddress, extension: '100', from: caller, audio: { toneHz } });
      await call.waitForTone(toneHz, 15_000);
      return { call, caller, toneHz };
    }),
  );
}

/** Whether its tone is heard, within a second. */
export function hearsItself({ call, toneHz }: ToneCaller): Promise<boolean> {
  return call.waitForTone(toneHz, 1000).then(
    () => true,
    () => false,
  );
}
