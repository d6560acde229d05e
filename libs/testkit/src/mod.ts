/** The real parts, NATS, Redis, Asterisk and SIP callers, for tests, benchmarks and the demo. */
export { type Asterisk, type AsteriskOptions, startAsterisk } from './asterisk.ts';
export { CallError } from './call-error.ts';
export type { CallerSound } from './caller-sound.ts';
export { FALLBACK_TONE_HZ, stasisDialplan } from './dialplan.ts';
export { PartsError } from './errors.ts';
export { HeardAudio, type HeardFrame, type Stretch } from './heard-audio.ts';
export { type LocalFleet, type LocalFleetOptions, startLocalFleet } from './local-fleet.ts';
export { type NatsServer, type NatsServerOptions, startNatsServer } from './nats-server.ts';
export { type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts';
export type { ReceivedSpan } from './otlp-spans.ts';
export { installParts, type PartName } from './parts.ts';
export { claimPort } from './port-claim.ts';
export { type RedisServer, type RedisServerOptions, startRedisServer } from './redis-server.ts';
export type { TestServer } from './server-process.ts';
export { type CallOptions, type CallReport, placeCall, type SipCall } from './sip-caller.ts';
export { type HeardTone, type ToneReport, toneReport } from './tone-report.ts';
