import type { Bus } from './connection.ts';
import { CALLS } from './streams.ts';

const BATCH = 1000;
/** JetStream's status for a batch that would be empty. */
const NOTHING_STORED = 404;

/** What the stream CALLS has of one subject, oldest first. */
export async function* storedMessages(bus: Bus, subject: string): AsyncGenerator<{ seq: number; data: Uint8Array }> {
  let seq = 1;
  for (;;) {
    let count = 0;
    try {
      const batch = await bus.jsm.direct.getBatch(CALLS, { seq, next_by_subj: subject, batch: BATCH });
      for await (const stored of batch) {
        count += 1;
        seq = stored.seq + 1;
        yield { seq: stored.seq, data: stored.data };
      }
    } catch (error) {
      if ((error as { code?: unknown }).code !== NOTHING_STORED) throw error;
    }
    if (count < BATCH) return;
  }
}
