import { type Bus, BusError, CallJournal } from '@callfleet/bus';
import { CallTakenOverError } from '@callfleet/calls';
import { type Journal, type JournalEntry, journalEntrySchema } from '@callfleet/calls/runtime';
import type { CallId } from '@callfleet/identity';
import type { Lease } from '@callfleet/leases';

/** A taker and the worker that it takes from may write at the same time; the one that reads again wins. */
const ATTEMPTS = 5;

export type OpenJournal = Journal & { close(): void };

/**
 * Opens a call's journal for its new owner, or for its owner's next run. If there was another before, the first thing
 * written is that it has the call no more: from then on that one can't write.
 *
 * @param run 1 for an owner's first
 * @throws CallTakenOverError when others keep writing
 */
export async function openJournal(bus: Bus, call: CallId, lease: Lease, run: number): Promise<OpenJournal> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const stored = await CallJournal.open(
      bus,
      call,
      `${lease.owner} ${lease.epoch} ${run} ${attempt}`,
      journalEntrySchema,
    );
    const journal = {
      before: stored.before,
      append: (entry: JournalEntry) => stored.append(entry).catch(asTakenOver),
      close: () => stored.close(),
    };
    if (lease.epoch === 1 && run === 1 && stored.before.length === 0) return journal;
    try {
      await journal.append({ kind: 'taken', worker: lease.owner, epoch: lease.epoch });
      return journal;
    } catch (error) {
      if (!(error instanceof CallTakenOverError)) throw error;
    }
  }
  throw new CallTakenOverError('another worker keeps writing to its journal');
}

function asTakenOver(error: unknown): never {
  if (error instanceof BusError) throw new CallTakenOverError(error.message);
  throw error;
}
