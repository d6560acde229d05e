import { FRAME_MS } from './format.ts';
import { InterarrivalJitter } from './interarrival-jitter.ts';
import type { TimeSource } from './pacing-clock.ts';
import type { RtpPacket } from './rtp-packet.ts';

export interface JitterBufferOptions {
  /** Of the RTP clock, Hz. */
  sampleRate: number;
  time: TimeSource;
  /** @param lost as it was `put` */
  deliver(packet: RtpPacket, lost: number): void;
}

/** Less jitter than this is none: a PBX on a busy machine has it, and nobody hears it. */
const NO_JITTER_MS = 5;

/** It must last so long: after one stall, of ours or the PBX's, a delay would come too late to help. */
const LASTING_MS = 500;

/** Nearly all packets come within so many times the jitter. */
const DELAY_PER_JITTER = 3;

/** Longer than that, a conversation suffers more from the delay than from the gaps. */
const MAX_DELAY_MS = 120;

/** The delay shrinks by one frame after each such time in which less would have done. */
const SHRINK_EVERY_MS = 1000;

/** With so many packets waiting, the oldest is delivered before its time. */
const MAX_PACKETS = 50;

/** Two clocks drift apart: what is taken for the shortest way grows by so much each packet, which is 500 in a million. */
const DRIFT_MS = 0.01;

/** Timestamps that jump this far begin anew, milliseconds. */
const NEW_BEGINNING_MS = 1000;

interface Waiting {
  readonly packet: RtpPacket;
  readonly lost: number;
  /** Its timestamp in milliseconds, from where the stream began. */
  readonly at: number;
}

/**
 * Evens out the arrival of a stream that is in order already. It holds each packet for as long as the measured jitter asks for:
 * the delay grows where jitter lasts, shrinks slowly, and where there is none each packet is handed on as it comes.
 */
export class JitterBuffer {
  readonly jitter: InterarrivalJitter;
  readonly #options: JitterBufferOptions;
  #waiting: Waiting[] = [];
  #cancelTimer: (() => void) | undefined;
  #delayMs = 0;
  #shrinkAt = 0;
  #unevenSince: number | undefined;
  /** Arrival minus timestamp of the packet that came quickest. */
  #quickest = Number.POSITIVE_INFINITY;
  #lastTimestamp: number | undefined;
  #at = 0;

  constructor(options: JitterBufferOptions) {
    this.#options = options;
    this.jitter = new InterarrivalJitter(options.sampleRate);
  }

  /** How long a packet that came as quickly as any is held: 0 to 120. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** @param lost how many packets before this one never came */
  put(packet: RtpPacket, lost: number): void {
    const now = this.#options.time.now();
    const { timestamp } = packet;
    const step = ((timestamp - (this.#lastTimestamp ?? timestamp)) | 0) / (this.#options.sampleRate / 1000);
    this.#at += step;
    this.#lastTimestamp = timestamp;
    if (Math.abs(now - this.#at - this.#quickest) > NEW_BEGINNING_MS) {
      this.#deliverWhile(() => true);
      this.#quickest = Number.POSITIVE_INFINITY;
    }
    this.#quickest = Math.min(this.#quickest + DRIFT_MS, now - this.#at);
    this.jitter.add(now, timestamp);
    this.#adapt(now);
    // Where packets come evenly, which is nearly always, none waits.
    if (this.#delayMs === 0 && this.#waiting.length === 0) {
      this.#options.deliver(packet, lost);
      return;
    }
    this.#waiting.push({ packet, lost, at: this.#at });
    this.#deliverDue(now);
  }

  /** Delivers nothing more. */
  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#waiting = [];
  }

  #adapt(now: number): void {
    const { ms } = this.jitter;
    this.#unevenSince = ms < NO_JITTER_MS ? undefined : (this.#unevenSince ?? now);
    const lasts = this.#unevenSince !== undefined && now - this.#unevenSince >= LASTING_MS;
    const frames = lasts ? Math.ceil((ms * DELAY_PER_JITTER) / FRAME_MS) : 0;
    const wanted = Math.min(MAX_DELAY_MS, frames * FRAME_MS);
    if (wanted >= this.#delayMs) this.#delayMs = wanted;
    else if (now >= this.#shrinkAt) this.#delayMs -= FRAME_MS;
    else return;
    this.#shrinkAt = now + SHRINK_EVERY_MS;
  }

  #dueAt({ at }: Waiting): number {
    return this.#quickest + at + this.#delayMs;
  }

  #deliverDue(now: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#deliverWhile((first) => this.#dueAt(first) <= now || this.#waiting.length > MAX_PACKETS);
    const [first] = this.#waiting;
    if (!first) return;
    const { time } = this.#options;
    this.#cancelTimer = time.after(this.#dueAt(first) - now, () => this.#deliverDue(time.now()));
  }

  #deliverWhile(holds: (first: Waiting) => boolean): void {
    for (let first = this.#waiting[0]; first && holds(first); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#options.deliver(first.packet, first.lost);
    }
  }
}
