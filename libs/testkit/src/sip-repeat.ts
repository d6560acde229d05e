/** RFC 3261, T1. */
const FIRST_MS = 500;

/** SIP waits 32 s; on one machine, what had no reply for so long will get none. */
const GIVE_UP_MS = 4000;

/**
 * Sends now, and again after 500 ms, then 1 s, then 2 s, since datagrams may be lost.
 *
 * @param giveUp called after 4 s without a stop
 * @returns stops it
 */
export function repeat(send: () => void, giveUp: () => void): () => void {
  let timer: NodeJS.Timeout;
  const sendAndWait = (ms: number, leftMs: number) => {
    send();
    const again = ms < leftMs;
    timer = setTimeout(() => (again ? sendAndWait(2 * ms, leftMs - ms) : giveUp()), Math.min(ms, leftMs));
  };
  sendAndWait(FIRST_MS, GIVE_UP_MS);
  return () => clearTimeout(timer);
}
