import { decodeToken, encodeToken } from './subject-token.ts';

/** `<pbx>.<channel>`: two NATS tokens, the channel's id encoded. It names one call in subjects, keys, logs and spans. */
export type CallId = `${string}.${string}`;

/** Names a PBX: a NATS token that a person can type. Checked once, in the configuration. */
export const PBX_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

export function callIdOf(pbx: string, channelId: string): CallId {
  return `${pbx}.${encodeToken(channelId)}`;
}

/** The PBX and the channel that a call id is made of; undefined where `text` is no call id. */
export function partsOfCallId(text: string): { pbx: string; channelId: string } | undefined {
  const dot = text.indexOf('.');
  if (dot < 1) return undefined;
  const pbx = text.slice(0, dot);
  const channelId = decodeToken(text.slice(dot + 1));
  if (!PBX_NAME.test(pbx) || channelId === undefined || channelId === '') return undefined;
  return { pbx, channelId };
}

export function isCallId(text: string): text is CallId {
  return partsOfCallId(text) !== undefined;
}
