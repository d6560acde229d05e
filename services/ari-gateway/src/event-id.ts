import { hash } from 'node:crypto';

/**
 * Same event, same id, whichever application it was seen through: so that a mirror's copy is known as a repeat.
 * Asterisk's events have no number of their own; their time is part of the hash.
 */
export function eventId(pbx: string, event: Readonly<Record<string, unknown>>): string {
  const { application: _, ...rest } = event;
  return hash('sha1', `${pbx} ${JSON.stringify(rest)}`, 'base64url');
}
