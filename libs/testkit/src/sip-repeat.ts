/** RFC 3261, T1 and T2. */
const FIRST_MS = 500;
const LONGEST_MS = 4000;

/** SIP waits 32 s; on one machine, what had no reply for so long will get none. */
const GIVE_UP_MS = 4000;

/**
 * Sends now, and again after 500 ms, 1 s, 2 s, ... since datagrams may be lost.
 *
 * @param giveUp called after 4 s without a stop
 * @returns stops it
 */
export function repeat(send: () => void, giveUp: () => void): () => void {
  let timer: NodeJS.Timeout;
  let waited = 0;
  const next = (ms: number) => {
    send();
    timer = setTimeout(() => {
      waited += ms;
      if (waited >= GIVE_UP_MS) giveUp();
      else next(Math.min(2 * ms, LONGEST_MS));
    }, ms);
  };
  next(FIRST_MS);
  return () => clearTimeout(timer);
}
