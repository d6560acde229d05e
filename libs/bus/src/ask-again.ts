import type { z } from 'zod';
import type { Bus } from './connection.ts';
import { ask } from './request-reply.ts';

export interface AskAgainOptions<Reply> {
  readonly reply: z.ZodType<Reply>;
  /** Counts only while NATS is there. */
  readonly timeoutMs: number;
  /** Ends the waiting for NATS; the promise rejects with its reason. */
  readonly signal: AbortSignal;
}

/**
 * As `ask`, for a question that does no harm when it comes twice: what was under way when NATS went away is asked again when it
 * is back, and while it is away nothing is asked at all.
 *
 * @throws BusError as `ask`
 */
export async function askAgain<Reply>(
  bus: Bus,
  subject: string,
  question: unknown,
  { reply, timeoutMs, signal }: AskAgainOptions<Reply>,
): Promise<Reply> {
  for (;;) {
    const back = Promise.withResolvers<undefined>();
    const forget = bus.onReconnect(() => back.resolve(undefined));
    const onAbort = () => back.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    back.promise.catch(() => {});
    try {
      signal.throwIfAborted();
      const asked = bus.awayMs() === undefined ? ask(bus, subject, question, { reply, timeoutMs }) : undefined;
      // What it comes to when nobody waits for it any more.
      asked?.catch(() => {});
      const answer = await Promise.race(asked ? [asked, back.promise] : [back.promise]);
      if (answer !== undefined) return answer;
    } catch (error) {
      if (signal.aborted || bus.nc.isClosed() || bus.awayMs() === undefined) throw error;
    } finally {
      forget();
      signal.removeEventListener('abort', onAbort);
    }
  }
}
