import { type Bus, BusError, CallJournal } from '@callfleet/bus';
import { CallTakenOverError } from '@callfleet/calls';
import { type Journal, type JournalEntry, journalEntrySchema } from '@callfleet/calls/runtime';
import type { CallId } from '@callfleet/identity';
import type { Lease } from '@callfleet/leases';

/** A taker and the worker that it takes from may write at the same time; the one that reads again wins. */
const ATTEMPTS = 5;

/** The journal of a call in its owner's hands. */
export interface OpenJournal extends Journal {
  /** Who has had the call, in order, as far as is known; the owner is the last. */
  readonly workers: readonly string[];
  close(): void;
}

/**
 * Opens a call's journal for its new owner. If the call had another, the first thing written is that it has not any more:
 * from then on that one can't write.
 *
 * @param lostBy who had the call before, where that is known
 * @throws CallTakenOverError when others keep writing
 */
export async function openJournal(bus: Bus, call: CallId, lease: Lease, lostBy?: string): Promise<OpenJournal> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const stored = await CallJournal.open(bus, call, `${lease.owner} ${lease.epoch} ${attempt}`, journalEntrySchema);
    const taken: JournalEntry = {
      kind: 'taken',
      worker: lease.owner,
      epoch: lease.epoch,
      ...(lostBy !== undefined && { from: lostBy }),
    };
    const isFirst = lease.epoch === 1 && stored.before.length === 0;
    const journal = {
      before: stored.before,
      workers: isFirst ? [lease.owner] : workersOf([...stored.before, taken]),
      append: (entry: JournalEntry) => stored.append(entry).catch(asTakenOver),
      close: () => stored.close(),
    };
    if (isFirst) return journal;
    try {
      await journal.append(taken);
      return journal;
    } catch (error) {
      if (!(error instanceof CallTakenOverError)) throw error;
    }
  }
  throw new CallTakenOverError('another worker keeps writing to its journal');
}

/** The first owner writes nothing of itself: the one that took the call from it does. */
function workersOf(entries: readonly JournalEntry[]): string[] {
  const takers = entries.filter((entry) => entry.kind === 'taken');
  const first = takers.find(({ from }) => from !== undefined)?.from;
  const workers = takers.map(({ worker }) => worker);
  return first === undefined || first === workers[0] ? workers : [first, ...workers];
}

function asTakenOver(error: unknown): never {
  if (error instanceof BusError) throw new CallTakenOverError(error.message);
  throw error;
}
