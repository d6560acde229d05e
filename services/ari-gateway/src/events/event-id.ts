import { hash } from 'node:crypto';
import type { CallId } from '@callfleet/identity';

/**
 * Same event, same id, whichever application it was seen through: so that a mirror's copy is known as a repeat.
 * Asterisk's events have no number of their own; their time is part of the hash. So is the call: one that concerns two calls
 * is published to both, and the stream would take the second for a repeat.
 *
 * One that was synthesized is the same whenever it was, and whatever else was known of its channel then.
 *
 * @param text the event as JSON
 */
export function eventId(
  call: CallId,
  event: Readonly<Record<string, unknown>>,
  text: string = JSON.stringify(event),
): string {
  const told = event.synthesized === true ? JSON.stringify(core(event)) : eventKey(event, text);
  return hash('sha1', `${call} ${told}`, 'base64url');
}

/**
 * The same of two applications' copies of one event. Asterisk writes the application last: it is cut off, since to make JSON of all
 * the rest again takes longer than its hash.
 *
 * @param text the event as JSON
 */
export function eventKey(
  event: Readonly<Record<string, unknown>> | { readonly type: string },
  text: string = JSON.stringify(event),
): string {
  const { application } = event as Readonly<Record<string, unknown>>;
  const end = `,"application":${JSON.stringify(application)}}`;
  if (text.endsWith(end)) return `${text.slice(0, -end.length)}}`;
  return JSON.stringify({ ...event, application: undefined });
}

function core({ type, channel, playback }: Readonly<Record<string, unknown>>): unknown {
  return { synthesized: true, type, of: ((channel ?? playback) as { id?: unknown } | undefined)?.id };
}
