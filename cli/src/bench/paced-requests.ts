import { setTimeout as wait } from 'node:timers/promises';

const TICK_MS = 1;

/**
 * Sends so many requests a second, whether or not the ones before are answered, and waits for the answers.
 *
 * @returns how long each took, milliseconds
 */
export async function pacedRequests(
  { perSecond, ms }: { perSecond: number; ms: number },
  request: (number: number) => Promise<unknown>,
): Promise<number[]> {
  const took: number[] = [];
  const underWay: Promise<void>[] = [];
  const from = performance.now();
  for (let now = 0; now < ms; await wait(TICK_MS), now = performance.now() - from)
    while (underWay.length < Math.floor((now * perSecond) / 1000)) {
      const sentAt = performance.now();
      const answered = request(underWay.length).then(() => {
        took.push(performance.now() - sentAt);
      });
      underWay.push(answered);
    }
  await Promise.all(underWay);
  return took;
}
