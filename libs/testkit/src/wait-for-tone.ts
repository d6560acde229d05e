import { setTimeout as sleep } from 'node:timers/promises';
import { CallError } from './call-error.ts';
import type { HeardAudio } from './heard-audio.ts';

const WINDOW_MS = 200;
/** Of 20 ms each. Fewer can't be told from a click. */
const MIN_PACKETS = 5;
const LEVEL = 0.5;

/**
 * Waits until a tone is at least half of what was heard in the last 200 ms.
 *
 * @param now milliseconds in the call
 * @returns when it was noticed
 * @throws {CallError} `CF_TONE_NOT_HEARD`
 */
export async function waitForTone(
  heard: HeardAudio,
  now: () => number,
  hz: number,
  timeoutMs: number,
): Promise<number> {
  const deadline = now() + timeoutMs;
  for (;;) {
    const at = now();
    const last = { fromMs: at - WINDOW_MS };
    if (heard.packetsIn(last) >= MIN_PACKETS && heard.level(hz, last) >= LEVEL) return at;
    if (at > deadline) {
      const instead = heard.dominantTone(last);
      const heardInstead = instead ? `${instead.hz} Hz` : 'no tone';
      throw new CallError(
        'CF_TONE_NOT_HEARD',
        `${hz} Hz was not heard for ${timeoutMs} ms; ${heardInstead} was at the end`,
      );
    }
    await sleep(20);
  }
}
