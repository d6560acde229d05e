import type { JournalEntry } from './journal.ts';

/** A program may have asked for this many more legs than its journal tells of: their work had just begun. */
const BEGUN = 2;

/**
 * The media legs that a call may have, in the order of their numbers: for each the relay of its session, where that is
 * known. A session of which nothing is known yet has no leg either, and its relay closes it.
 */
export function legsIn(journal: readonly JournalEntry[]): Array<string | undefined> {
  const relays = new Map<number, string | undefined>();
  for (const entry of journal) {
    // Only `connect` notes a name: that of the relay.
    if (entry.kind === 'note' && typeof entry.value === 'string') relays.set(entry.operation, entry.value);
    if ((entry.kind === 'result' || entry.kind === 'failure') && entry.name === 'connect')
      relays.set(entry.operation, relays.get(entry.operation));
  }
  const known = [...relays].sort(([a], [b]) => a - b).map(([, relay]) => relay);
  return [...known, ...Array<undefined>(BEGUN).fill(undefined)];
}
