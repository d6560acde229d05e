/**
 * Asterisk's REST Interface: typed events, typed operations, two ways to reach one Asterisk, and a way for it to reach us.
 *
 *     const socket = await AriSocket.connect({ url, username, password, apps: ['bot'], onEvent });
 *     expectOk(await socket.request(channels.answer({ channelId })));
 */

export type { AriAccount } from './address.ts';
export { AriHttp, type AriHttpOptions } from './ari-http.ts';
export { AriListener, type AriListenerOptions, type DialIn, type DialInRefusal } from './ari-listener.ts';
export {
  type AriCloseInfo,
  AriSocket,
  type AriSocketListeners,
  type AriSocketOptions,
  type AriSocketStats,
  type AriSocketUse,
} from './ari-socket.ts';
export { type AsteriskVersion, parseAsteriskVersion } from './asterisk-version.ts';
export { type DialInAccount, isAuthorized } from './basic-credentials.ts';
export {
  AriBusyError,
  AriClosedError,
  AriError,
  type AriErrorCode,
  AriNotFoundError,
  AriNotReadyError,
  AriRefusedError,
  AriTimeoutError,
  AriTlsError,
  AriTooLargeError,
  AriUnauthorizedError,
  AriUnexpectedError,
  AriUnreachableError,
} from './errors.ts';
export { isKnownEvent, type UnknownAriEvent } from './event.ts';
export { type EventIds, idsOfEvent, subjectsOfEvent } from './event-ids.ts';
export { type AriFeatures, type DocumentedFeatures, featuresOf, type KnownAsterisk, readFeatures } from './features.ts';
/** Every event's interface, and `AriEvent`, their union. */
export type * from './generated/events.gen.ts';
export { ARI_EVENT_TYPES } from './generated/events.gen.ts';
/** Every model's interface. */
export type * from './generated/models.gen.ts';
/** For each resource of ARI an object of functions that build requests: `channels.play({ channelId, media })`. */
export * from './generated/operations.gen.ts';
export type { AriMethod, AriRequest } from './request.ts';
export type { AriRequester, AriRequestOptions } from './requester.ts';
export { type AriResponse, expectOk } from './response.ts';
