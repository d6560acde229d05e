import { type Bus, BusError, CallJournal, type Offer } from '@callfleet/bus';
import { CallTakenOverError } from '@callfleet/calls';
import { type Journal, type JournalEntry, journalEntrySchema } from '@callfleet/calls/runtime';
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
 * Opens a call's journal for its new owner, or for its owner's next run. If there was another before, the first thing
 * written is that it has the call no more: from then on that one can't write.
 *
 * @param run 1 for an owner's first
 * @param claimed the gateway has decided whose the call is: waited for before anything is taken from another
 * @param mayAppend waited for right before each entry is sent
 * @throws CallTakenOverError when a later owner has it, or others keep writing
 */
export async function openJournal(
  bus: Bus,
  { call, lostBy }: Offer,
  lease: Lease,
  run: number,
  claimed: Promise<void>,
  mayAppend: () => Promise<void>,
): Promise<OpenJournal> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const writer = `${lease.owner} ${lease.epoch} ${run} ${attempt}`;
    const stored = await CallJournal.open(bus, call, writer, journalEntrySchema, mayAppend);
    const later = stored.before.find((entry) => isLaterOwner(entry, lease));
    if (later) throw new CallTakenOverError(`${later.worker} has taken it under epoch ${later.epoch}`);
    const taken: JournalEntry = {
      kind: 'taken',
      worker: lease.owner,
      epoch: lease.epoch,
      ...(lostBy !== undefined && { from: lostBy }),
    };
    const isFirst = lease.epoch === 1 && run === 1 && stored.before.length === 0;
    const journal = {
      before: stored.before,
      workers: isFirst ? [lease.owner] : workersOf([...stored.before, taken]),
      append: (entry: JournalEntry) => stored.append(entry).catch(asTakenOver),
      close: () => stored.close(),
    };
    if (isFirst) return journal;
    await claimed;
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
  const workers = [...(first === undefined ? [] : [first]), ...takers.map(({ worker }) => worker)];
  // An owner that ran its program again is there more than once.
  return workers.filter((worker, index) => worker !== workers[index - 1]);
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
