export interface Tries {
  /** Asked after a failure: nobody needs it any more. */
  readonly isOver: () => boolean;
  readonly onFailure: (error: unknown, againInMs: number) => void;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 4000;

/**
 * Tries again and again, after waits that grow from 250 ms to 4 s.
 *
 * @returns undefined when it was over before it succeeded
 */
export async function untilDone<T>(work: () => Promise<T>, { isOver, onFailure }: Tries): Promise<T | undefined> {
  for (let againInMs = FIRST_WAIT_MS; ; againInMs = Math.min(2 * againInMs, LONGEST_WAIT_MS)) {
    try {
      return await work();
    } catch (error) {
      if (isOver()) return undefined;
      onFailure(error, againInMs);
    }
    await new Promise((resolve) => setTimeout(resolve, againInMs));
    if (isOver()) return undefined;
  }
}
