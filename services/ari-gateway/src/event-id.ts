import { hash } from 'node:crypto';
import type { CallId } from '@callfleet/identity';

/**
 * Same event, same id, whichever application it was seen through: so that a mirror's copy is known as a repeat.
 * Asterisk's events have no number of their own; their time is part of the hash. So is the call: one that concerns two calls
 * is published to both, and the stream would take the second for a repeat.
 *
 * One that was synthesized is the same whenever it was, and whatever else was known of its channel then.
 */
export function eventId(call: CallId, event: Readonly<Record<string, unknown>>): string {
  const { application: _, ...rest } = event;
  return hash('sha1', `${call} ${JSON.stringify(event.synthesized === true ? core(event) : rest)}`, 'base64url');
}

function core({ type, channel, playback }: Readonly<Record<string, unknown>>): unknown {
  return { synthesized: true, type, of: ((channel ?? playback) as { id?: unknown } | undefined)?.id };
}
