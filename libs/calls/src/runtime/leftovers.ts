import { bridges, channels } from '@callfleet/ari';
import { callOfResource, resourceId } from '@callfleet/identity';
import type { CallScope } from './call-scope.ts';
import type { ChannelEventData } from './channel-events.ts';
import type { JournalEntry } from './journal.ts';
import { MediaLeg } from './media-leg.ts';

/** A program may have asked for this many more of anything than its journal tells of: their work had just begun. */
const BEGUN = 2;

/** Operations that make a bridge, one at most. */
const MAKE_BRIDGES = new Set(['connect', 'dial', 'bridge', 'room']);

/** Has everything removed at the call's end that its program may have made: there is no program that could tell. */
export function adoptLeftovers(scope: CallScope): void {
  const { before } = scope.host.journal;
  for (const relay of mediaRelays(before)) {
    const leg = new MediaLeg(scope, '', {});
    if (relay !== undefined) leg.wasOpenedIn(relay);
  }
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
 * The media legs that a call may have, in the order of their numbers: for each the relay of its session, where that is
 * known. A session of which nothing is known yet has no leg either, and its relay closes it.
 */
function mediaRelays(journal: readonly JournalEntry[]): Array<string | undefined> {
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

function bridgesIn(journal: readonly JournalEntry[]): number {
  return journal.filter(
    (entry) => (entry.kind === 'result' || entry.kind === 'failure') && MAKE_BRIDGES.has(entry.name),
  ).length;
}
