import type { ExternalMedia, MediaStats } from '@callfleet/bus';
import type { AudioFormat, PlayoutBuffer } from '@callfleet/media';

/**
 * How one leg's audio gets from its PBX to here and back: `open`, then `attach` when the leg's channel is there, then audio, then
 * `close`. The session that owns it calls `pace` every 20 ms.
 */
export interface MediaTransport {
  readonly kind: MediaStats['transport'];
  readonly format: AudioFormat;
  readonly stats: TransportStats;
  /** Makes room. @returns what the PBX must be told to make the leg @throws RelayError CF_RELAY_PORTS_EXHAUSTED */
  open(): Promise<ExternalMedia>;
  /**
   * Meets the PBX where the leg's channel variables say.
   *
   * @throws RelayError CF_RELAY_BAD_PEER, CF_RELAY_ATTACH_FAILED
   */
  attach(channelVariables: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Sends what is due: audio, or silence where there is none, since a caller's own line may be cut when nothing comes.
   *
   * @param skipped frames that fell out since the last call (see PacingClock)
   */
  pace(playout: PlayoutBuffer, skipped: number): void;
  /** Milliseconds of audio, silence not counted, that the PBX has and did not play yet. */
  readonly unplayedMs: number;
  /** Makes the PBX forget what it did not play yet. @returns how many milliseconds that was, silence not counted */
  flush(): number;
  /** May be called in any state and again. Nothing is told afterwards. */
  close(): Promise<void>;
}

/** What a transport tells the session that owns it. */
export interface TransportListener {
  /** The caller's audio in the transport's format, in order, usually 20 ms. It belongs to the listener. */
  heard(frame: Uint8Array): void;
  /** The caller pressed a key, where the transport carries keys. */
  digit(key: string): void;
  /** The PBX ended it. */
  lost(detail: string): void;
}

export interface TransportStats {
  /** Packets or messages with audio, silence included, that were sent. */
  sent: number;
  /** Those of them that held a provider's audio. */
  sentWithAudio: number;
  /** Packets that never came in time. */
  lost: number;
  /** What the network did to a transport of single packets; none where the PBX's stream comes whole (TCP). */
  network?: NetworkStats;
  /** Packets from somewhere else than the PBX. */
  strangers: number;
  /** Packets or messages that could not be understood. */
  malformed: number;
}

interface NetworkStats {
  /** Those of the lost packets that came after all, too late. */
  late: number;
  /** Audio that was made up in place of lost packets, milliseconds. */
  concealedMs: number;
  /** Interarrival jitter (RFC 3550) at its worst, milliseconds. */
  jitterMs: number;
  /** By the PBX's latest report (RTCP), milliseconds; undefined: it sends none, as Asterisk's UnicastRTP. */
  roundTripMs?: number;
}
