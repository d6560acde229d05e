import { dbfsOf, toneLevel } from '@callfleet/media';
import { strongestTone } from './strongest-tone.ts';

export const SAMPLE_RATE = 8000;

/** One packet of audio as it arrived. */
export interface HeardFrame {
  /** Milliseconds since the INVITE left. */
  readonly atMs: number;
  readonly ssrc: number;
  /** 8 kHz. */
  readonly pcm: Int16Array;
}

/** A stretch of a call, milliseconds since the INVITE left; by default all of it. */
export interface Stretch {
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** Quieter than this is silence to a caller, dB below full scale. */
const SILENT_DBFS = -50;

/** All that one caller heard, in the order of arrival. */
export class HeardAudio {
  readonly #frames: HeardFrame[] = [];
  #digits = '';

  add(frame: HeardFrame): void {
    this.#frames.push(frame);
  }

  addDigit(digit: string): void {
    this.#digits += digit;
  }

  get frames(): readonly HeardFrame[] {
    return this.#frames;
  }

  /** Digits that the far side sent (RFC 4733). */
  get digits(): string {
    return this.#digits;
  }

  get packetsReceived(): number {
    return this.#frames.length;
  }

  packetsIn(stretch: Stretch): number {
    return this.#in(stretch).length;
  }

  get firstAudioAtMs(): number | undefined {
    return this.#frames[0]?.atMs;
  }

  /** When another sender took over, by its SSRC. */
  get ssrcChangesAtMs(): number[] {
    return this.#frames.filter(({ ssrc }, i) => i > 0 && ssrc !== this.#frames[i - 1]?.ssrc).map(({ atMs }) => atMs);
  }

  /** The samples of a stretch, one packet behind the other as they came; gaps take no room. */
  audio(stretch: Stretch = {}): Int16Array {
    const frames = this.#in(stretch);
    const pcm = new Int16Array(frames.reduce((samples, frame) => samples + frame.pcm.length, 0));
    let at = 0;
    for (const frame of frames) {
      pcm.set(frame.pcm, at);
      at += frame.pcm.length;
    }
    return pcm;
  }

  /** How much of what was heard is a tone of `hz`: 0 (nothing of it) to 1 (nothing else), whatever its loudness. */
  level(hz: number, stretch: Stretch = {}): number {
    return toneLevel(this.audio(stretch), SAMPLE_RATE, hz);
  }

  /** The strongest tone, if one stands out. */
  dominantTone(stretch: Stretch = {}): { hz: number; level: number } | undefined {
    return strongestTone(this.audio(stretch), SAMPLE_RATE);
  }

  /** The longest time between two packets, or between the stretch's ends, where it names them, and the next packet. */
  longestGapMs(stretch: Stretch = {}): number {
    return longestStep(this.#in(stretch), stretch);
  }

  /** The longest time in which nothing came, or nothing louder than silence. */
  longestSilenceMs(stretch: Stretch = {}): number {
    return longestStep(
      this.#in(stretch).filter(({ pcm }) => dbfsOf(pcm) >= SILENT_DBFS),
      stretch,
    );
  }

  #in({ fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY }: Stretch): HeardFrame[] {
    // Frames are in the order of time, and most questions are about the last ones.
    const before = this.#frames.findLastIndex(({ atMs }) => atMs < fromMs);
    const last = this.#frames.findLastIndex(({ atMs }) => atMs < toMs);
    return this.#frames.slice(before + 1, last + 1);
  }
}

function longestStep(frames: readonly HeardFrame[], { fromMs, toMs }: Stretch): number {
  const moments = frames.map(({ atMs }) => atMs);
  if (fromMs !== undefined) moments.unshift(fromMs);
  if (toMs !== undefined) moments.push(toMs);
  return moments.reduce((longest, at, i) => Math.max(longest, at - (moments[i - 1] ?? at)), 0);
}
