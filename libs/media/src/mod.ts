/** Audio on the wire and in time: RTP, codecs, levels, pacing. Pure: no sockets, no clock of its own. */
export {
  type AudioSocketFrame,
  AudioSocketReader,
  audioFrame,
  errorFrame,
  hangupFrame,
  keyFrame,
  uuidFrame,
} from './audiosocket.ts';
export { EnergyVad, type EnergyVadOptions, SPEECH_DBFS } from './energy-vad.ts';
export {
  type AudioFormat,
  bytesOfMs,
  type FormatName,
  FRAME_MS,
  formatNamed,
  formatNames,
  fromPcm,
  msOfBytes,
  toPcm,
} from './format.ts';
export { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from './g711.ts';
export { toneLevel } from './goertzel.ts';
export { JitterBuffer } from './jitter-buffer.ts';
export { KeyReceiver } from './key-receiver.ts';
export { type KeyFrame, KeySender } from './key-sender.ts';
export { LossConcealment } from './loss-concealment.ts';
export { OpusCodec } from './opus.ts';
export { PacingClock, type Tick, type TimeSource } from './pacing-clock.ts';
export type { PacingError } from './pacing-error.ts';
export { PlayoutBuffer } from './playout-buffer.ts';
export { Resampler, type ResamplerOptions } from './resampler.ts';
export { RtcpSession } from './rtcp-session.ts';
export { buildRtp, parseRtp, RTP_HEADER_BYTES, type RtpHeader, type RtpPacket, writeRtpHeader } from './rtp-packet.ts';
export { RtpReceiver, RtpSender } from './rtp-stream.ts';
export { dbfsOf, LoudestSecond, SILENCE_DBFS } from './sound-level.ts';
export type { SpeechDetector } from './speech-turns.ts';
export {
  decodeTelephoneEvent,
  encodeTelephoneEvent,
  eventOfKey,
  keyOfEvent,
  type TelephoneEvent,
} from './telephone-event.ts';
export { tone } from './tone.ts';
export { VoiceDetector, type VoiceDetectorOptions } from './voice-detector.ts';
