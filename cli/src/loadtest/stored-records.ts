import { setTimeout as wait } from 'node:timers/promises';
import { type Bus, CDRS, callRecordSchema, decodeMessage, subjects } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';

const LIMIT_MS = 15_000;
const LOOK_EVERY_MS = 200;

/** Call records as the stream has them, in the order of the channels; waits a while for those that are not there. */
export async function storedRecords(bus: Bus, pbx: string, channels: readonly string[]) {
  const limit = performance.now() + LIMIT_MS;
  return Promise.all(
    channels.map(async (channel) => {
      for (;;) {
        // NATS may just be away.
        const stored = await bus.jsm.direct
          .getMessage(CDRS, { last_by_subj: subjects.cdr(callIdOf(pbx, channel)) })
          .catch(() => null);
        if (stored) return decodeMessage(callRecordSchema, stored.data);
        if (performance.now() > limit) return null;
        await wait(LOOK_EVERY_MS);
      }
    }),
  );
}
