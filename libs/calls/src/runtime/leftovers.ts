import { bridges, channels } from '@callfleet/ari';
import { callOfResource, resourceId } from '@callfleet/identity';
import type { CallScope } from './call-scope.ts';
import type { ChannelEventData } from './channel-events.ts';
import type { JournalEntry } from './journal.ts';
import { isMediaNote, MediaLeg } from './media-leg.ts';

/** A program may have asked for this many more of anything than its journal tells of: their work had just begun. */
const BEGUN = 2;

/** Operations that make a bridge, one at most. */
const MAKE_BRIDGES = new Set(['connect', 'dial', 'bridge', 'room']);

/** Has everything removed at the call's end that its program may have made: there is no program that could tell. */
export function adoptLeftovers(scope: CallScope): void {
  const { before } = scope.host.journal;
  for (const noted of mediaNotes(before))
    new MediaLeg(scope, { provider: { name: '', options: {} }, noted, note: async () => {} });
  for (let n = 1; n <= bridgesIn(before) + BEGUN; n += 1) {
    const bridgeId = resourceId(scope.id, 'bridge', n);
    scope.removeAtEnd((operation) => operation.remove(bridges.destroy({ bridgeId })));
  }
  const seen = new Set<string>();
  scope.events.subscribe((event) => {
    const channelId = (event.data as ChannelEventData).channel?.id;
    if (channelId === undefined || seen.has(channelId) || callOfResource(channelId) !== scope.id) return;
    seen.add(channelId);
    scope.removeAtEnd((operation) => operation.remove(channels.hangup({ channelId })));
  });
}

/**
 * The media legs that a call may have, in the order of their numbers: for each what was noted of its session, if that was. A
 * session of which nothing is known yet has no leg either, and its relay closes it.
 */
function mediaNotes(journal: readonly JournalEntry[]): unknown[] {
  const notes = new Map<number, unknown>();
  for (const entry of journal) {
    if (entry.kind === 'note' && isMediaNote(entry.value)) notes.set(entry.operation, entry.value);
    if ((entry.kind === 'result' || entry.kind === 'failure') && entry.name === 'connect')
      notes.set(entry.operation, notes.get(entry.operation));
  }
  const known = [...notes].sort(([a], [b]) => a - b).map(([, note]) => note);
  return [...known, ...Array<undefined>(BEGUN).fill(undefined)];
}

function bridgesIn(journal: readonly JournalEntry[]): number {
  return journal.filter(
    (entry) => (entry.kind === 'result' || entry.kind === 'failure') && MAKE_BRIDGES.has(entry.name),
  ).length;
}
