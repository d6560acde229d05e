/** Who is who: call ids and the ids of what a call makes on its PBX. Pure; used by every service and by the SDK. */
export { type CallId, callIdOf, isCallId, PBX_NAME, partsOfCallId } from './call-id.ts';
export { isOriginatedChannel, ORIGINATED, originatedChannelId } from './originated-channel.ts';
export { callOfResource, type ResourceId, type ResourceKind, resourceId } from './resource-id.ts';
export { encodeToken } from './subject-token.ts';
