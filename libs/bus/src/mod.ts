/** Callfleet's event bus on NATS: subjects, streams, messages, and the trace context that travels with them. */
export { askAgain } from './ask-again.ts';
export { CALL_CANCELLED, type CallEvent, callEventSchema } from './call-event.ts';
export { CallEventFeed } from './call-event-feed.ts';
export { callHistory } from './call-history.ts';
export { CallJournal } from './call-journal.ts';
export { advance, type CallProgress } from './call-progress.ts';
export {
  type CallRecord,
  callRecordOf,
  callRecordSchema,
  type UnmeasuredSession,
} from './call-record.ts';
export { CancelError, cancelCall } from './cancel.ts';
export { type CancelReply, type CancelRequest, cancelRequestSchema } from './cancel-messages.ts';
export {
  type Command,
  type CommandRefusal,
  type CommandReply,
  commandRefusals,
  commandReplySchema,
  commandSchema,
} from './command.ts';
export { type Bus, type BusOptions, connectBus, whyNatsIsAway } from './connection.ts';
export { newNkeySeed, publicKeyOf } from './credentials.ts';
export { dialOutcomeOf } from './dial-outcome.ts';
export { BusError } from './errors.ts';
export { EventOutbox } from './event-outbox.ts';
export { announceGateway, gatewayPresence } from './gateway-presence.ts';
export { askHandOver, type HandOver, onHandOver } from './hand-over.ts';
export { type KeptCall, KeptCalls } from './kept-calls.ts';
export { decodeMessage, encodeMessage } from './message.ts';
export { type Offer, type OutboundDial, publishOffer } from './offer.ts';
export { type OfferInHand, OfferQueue } from './offer-queue.ts';
export { type OriginatedCall, type OriginateOptions, originateCall } from './originate.ts';
export { OriginateError } from './originate-error.ts';
export {
  type OriginateReply,
  type OriginateRequest,
  originateRefusals,
  originateRequestSchema,
} from './originate-messages.ts';
export type { OriginateOutcome } from './originate-outcome.ts';
export { type PbxCondition, pbxCondition } from './pbx-condition.ts';
export { followPbxAnnouncements, type KnownShard, PbxDirectory } from './pbx-directory.ts';
export {
  type BreakerEvent,
  breakerEventSchema,
  type PbxAnnouncement,
  type PbxState,
  pbxAnnouncementSchema,
  pbxStates,
  type ShardReport,
} from './pbx-messages.ts';
export { natsAuthorization } from './permissions.ts';
export { announcePrograms, isProgramThere } from './program-presence.ts';
export type { ProgramVersion } from './program-version.ts';
export {
  type ExternalMedia,
  type MediaEnded,
  type MediaStarted,
  type MediaStats,
  type MediaTurn,
  mediaEventSchemas,
  mediaTransports,
  type RelayAnnouncement,
  type RelayReply,
  type RelayRequest,
  relayAnnouncementSchema,
  relayReplySchema,
  relayRequestSchema,
  type Spoken,
} from './relay-messages.ts';
export { announceRelay, relayPresence } from './relay-presence.ts';
export { answer, ask } from './request-reply.ts';
export { openSpillingOutbox } from './spilling-outbox.ts';
export { storedMessages } from './stored-messages.ts';
export { awaitStreams, CALLS, CDRS, ensureStreams, OFFERS } from './streams.ts';
export { subjects } from './subjects.ts';
export { contextOf, linksTo, traceFields, traceHeaders, traceparentOf } from './trace-context.ts';
export { announceWorker, workerPresence } from './worker-presence.ts';
export { writeCallRecord } from './write-call-record.ts';
