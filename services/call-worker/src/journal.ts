import { type Bus, BusError, CallJournal } from '@callfleet/bus';
import { CallTakenOverError } from '@callfleet/calls';
import { type Journal, type JournalEntry, journalEntrySchema } from '@callfleet/calls/runtime';
import type { CallId } from '@callfleet/identity';
import type { Lease } from '@callfleet/leases';

/** A taker and the worker that it takes from may write at the same time; the one that reads again wins. */
const ATTEMPTS = 5;

/**
 * Opens a call's journal for its new owner. If the call had another, the first thing written is that it has not any more:
 * from then on that one can't write.
 *
 * @param claimed the gateway has decided whose the call is: waited for before anything is taken from another
 * @param mayAppend waited for right before each entry is sent
 * @throws CallTakenOverError when a later owner has it, or others keep writing
 */
export async function openJournal(
  bus: Bus,
  call: CallId,
  lease: Lease,
  claimed: Promise<void>,
  mayAppend: () => Promise<void>,
): Promise<Journal & { close(): void }> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const writer = `${lease.owner} ${lease.epoch} ${attempt}`;
    const stored = await CallJournal.open(bus, call, writer, journalEntrySchema, mayAppend);
    const later = stored.before.find((entry) => isLaterOwner(entry, lease));
    if (later) throw new CallTakenOverError(`${later.worker} has taken it under epoch ${later.epoch}`);
    const journal = {
      before: stored.before,
      append: (entry: JournalEntry) => stored.append(entry).catch(asTakenOver),
      close: () => stored.close(),
    };
    if (lease.epoch === 1 && stored.before.length === 0) return journal;
    await claimed;
    try {
      await journal.append({ kind: 'taken', worker: lease.owner, epoch: lease.epoch });
      return journal;
    } catch (error) {
      if (!(error instanceof CallTakenOverError)) throw error;
    }
  }
  throw new CallTakenOverError('another worker keeps writing to its journal');
}

type Taken = Extract<JournalEntry, { kind: 'taken' }>;

/** A worker that hung between its lease and its journal must not take it back from its successor. */
function isLaterOwner(entry: JournalEntry, { owner, epoch }: Lease): entry is Taken {
  return entry.kind === 'taken' && (entry.epoch > epoch || (entry.epoch === epoch && entry.worker !== owner));
}

function asTakenOver(error: unknown): never {
  if (error instanceof BusError) throw new CallTakenOverError(error.message);
  throw error;
}
