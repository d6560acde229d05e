import { type CallId, isCallId } from './call-id.ts';

/** What a call makes on its PBX. A playback belongs to an operation, the rest to the call. */
export type ResourceKind = 'media' | 'bridge' | 'playback' | 'recording' | 'snoop' | 'leg';

/** `<call>~<kind><n>`: the id that we choose for everything we create, so that its call is found from the id alone. */
export type ResourceId = `${CallId}~${ResourceKind}${number}`;

export function resourceId(call: CallId, kind: ResourceKind, n: number): ResourceId {
  return `${call}~${kind}${n}`;
}

/** The call that a channel, bridge, playback or recording id of ours carries; undefined for a foreign one. */
export function callOfResource(id: string): CallId | undefined {
  const tilde = id.indexOf('~');
  if (tilde < 0) return undefined;
  const call = id.slice(0, tilde);
  return isCallId(call) ? call : undefined;
}
