import { setTimeout as wait } from 'node:timers/promises';
import { type LocalFleet, placeLocalCall } from '@callfleet/testkit';

/** What each caller presses, one digit each 300 ms. */
export const TYPED = '123456789012';
/** Who hangs up sooner was cut off; milliseconds. Asterisk needs 5.7 s. */
export const TYPING_MS = 5500;

/** The first digit of what is dialled for a conversation. */
export const TALKING = '5';

const TYPING_CONTEXT = 'callfleet-typing-caller';
const POLL_MS = 20;

/** The far half of a Local channel: somebody who presses digits, and hangs up. */
export const typingContext = () => `[${TYPING_CONTEXT}]
exten => s,1,Answer()
 same => n,Wait(1)
 same => n,SendDTMF(${TYPED},200,100)
 same => n,Wait(1)
 same => n,Hangup()
`;

export interface PlacedCallers {
  /** Their numbers. */
  readonly callers: readonly string[];
  /** Of these the PBX did not say in time that they are there; they may be, or not. */
  readonly doubtful: ReadonlySet<string>;
}

/**
 * Callers at an even rate, on each PBX in turn, until `stop`.
 *
 * @param options `first`: the number of the first, and what it dials; `talkingEvery`: one in so many dials {@link TALKING} for the first
 * digit. Default: none
 */
export async function placeTypingCallers(
  system: Pick<LocalFleet, 'pbxs'>,
  { first, perSecond, talkingEvery }: { first: number; perSecond: number; talkingEvery?: number },
  stop: AbortSignal,
): Promise<PlacedCallers> {
  const callers: string[] = [];
  const doubtful = new Set<string>();
  const from = performance.now();
  const underWay: Promise<void>[] = [];
  while (!stop.aborted) {
    while (callers.length < ((performance.now() - from) * perSecond) / 1000) {
      const pbx = system.pbxs[callers.length % system.pbxs.length];
      if (!pbx) throw new Error('no PBX');
      const caller = String(first + callers.length);
      callers.push(caller);
      // In pairs: both PBXs have some.
      const isTalking = talkingEvery !== undefined && Math.floor(callers.length / 2) % talkingEvery === 0;
      const extension = isTalking ? `${TALKING}${caller.slice(1)}` : caller;
      const placing = placeLocalCall(pbx, { extension, from: caller, context: TYPING_CONTEXT });
      underWay.push(placing.catch(() => void doubtful.add(caller)));
    }
    await wait(POLL_MS);
  }
  await Promise.all(underWay);
  return { callers, doubtful };
}
