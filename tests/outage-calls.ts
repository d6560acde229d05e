import { setTimeout as wait } from 'node:timers/promises';
import { placeCall, type SipCall } from '@callfleet/testkit';
import { expect } from 'vitest';
import type { TestFleet } from './test-fleet.ts';

const OUTAGE_MS = 30_000;

interface Talk {
  readonly call: SipCall;
  readonly from: string;
  readonly toneHz: number;
}

interface OutageCalls {
  /** Goes on all the time. */
  readonly talks: Talk;
  /** Hangs up in the middle of the outage. */
  readonly leaves: Talk;
  /** Is in a menu, and presses two digits before, and two in the middle. */
  readonly types: Pick<Talk, 'call' | 'from'>;
}

async function talk(system: TestFleet, from: string, n: number): Promise<Talk> {
  const pbx = system.pbxs[n % system.pbxs.length];
  if (!pbx) throw new Error('no PBX');
  const toneHz = 500 + 200 * n;
  const call = await placeCall({ to: pbx.sipAddress, extension: '100', from, audio: { toneHz } });
  await call.waitForTone(toneHz, 10_000);
  return { call, from, toneHz };
}

/** Calls of each kind on each PBX, all under way. */
export function placeCalls(system: TestFleet, first: number): Promise<OutageCalls[]> {
  return Promise.all(
    system.pbxs.map(async (pbx, n) => {
      const from = (kind: number) => String(first + 10 * n + kind);
      const typing = await placeCall({ to: pbx.sipAddress, extension: '700', from: from(3) });
      await typing.answered;
      typing.sendDtmf('12');
      const [talks, leaves] = await Promise.all([talk(system, from(1), n), talk(system, from(2), n)]);
      // Both digits are read and said back.
      await wait(2500);
      return { talks, leaves, types: { call: typing, from: from(3) } };
    }),
  );
}

/** The outage, with what callers do meanwhile. @returns when it began, on each talking call's clock */
export async function outage(
  server: { kill(): Promise<void>; restart(): Promise<void> },
  calls: readonly OutageCalls[],
) {
  await server.kill();
  const since = calls.map(({ talks }) => talks.call.now());
  await wait(OUTAGE_MS / 2);
  for (const { types } of calls) types.call.sendDtmf('34');
  await Promise.all(calls.map(({ leaves }) => leaves.call.hangUp()));
  await wait(OUTAGE_MS / 2);
  await server.restart();
  return since;
}

export function expectHeardAllTheTime(calls: readonly OutageCalls[], since: readonly number[]): void {
  for (const [n, { talks }] of calls.entries()) {
    const { heard } = talks.call;
    const silence = heard.longestSilenceMs({ fromMs: since[n] ?? 0, toMs: talks.call.now() });
    expect(silence, `silence in the call from ${talks.from}`).toBeLessThan(1000);
  }
}

export async function expectTypedAll(system: TestFleet, calls: readonly OutageCalls[]): Promise<void> {
  for (const { types } of calls) {
    expect(await types.call.finished).toMatchObject({ hungUpBy: 'callee' });
    const record = await system.recordOf(types.from);
    expect(record, record.error?.message).not.toHaveProperty('error');
    expect(record).toMatchObject({ program: 'long-menu', endedBy: 'program', digits: 4, takeovers: 0 });
  }
}

export async function expectLeft(system: TestFleet, calls: readonly OutageCalls[]): Promise<void> {
  for (const { leaves } of calls)
    expect(await system.recordOf(leaves.from)).toMatchObject({ endedBy: 'caller', takeovers: 0 });
}

/** The calls that talked all the time end as they should, and new ones are served. */
export async function expectAsBefore(system: TestFleet, calls: readonly OutageCalls[], first: number): Promise<void> {
  const after = await Promise.all(system.pbxs.map((_, n) => talk(system, String(first + n), n)));
  for (const { call, from, toneHz } of [...calls.map(({ talks }) => talks), ...after]) {
    await call.waitForTone(toneHz, 2000);
    await call.hangUp();
    expect(await system.recordOf(from)).toMatchObject({ program: 'echo-bot', endedBy: 'caller', takeovers: 0 });
  }
  await system.expectNothingLeft();
}
