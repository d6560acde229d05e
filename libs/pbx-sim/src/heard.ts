import { decodeUlaw, toneLevel } from '@callfleet/media';
import { FRAME_BYTES } from './leg-codec.ts';

/** What a caller heard since it was answered. Frames are of 20 ms. */
export interface HeardReport {
  readonly frames: number;
  /** Frames that were mostly the caller's own tone: a program that echoes gives it back. */
  readonly ownToneFrames: number;
  readonly silentFrames: number;
  /** Frames with any other sound: a bot's voice. */
  readonly otherFrames: number;
  /** From the answer to the first frame that was no silence, milliseconds. */
  readonly firstSoundAfterMs?: number;
  /** Stretches of 40 ms and more, after the first frame, in which none came. */
  readonly gaps: number;
  readonly longestGapMs: number;
  /** Sounds that the PBX played to it, in their order; the first hundred. */
  readonly sounds: readonly string[];
}

const FRAME_MS = 20;
const GAP_MS = 40;
const MOST_SOUNDS = 100;
const OWN_TONE_LEVEL = 0.5;
/** Below 1/512 of full scale in all samples that are looked at. */
const SILENCE_LEVEL = 64;
/** Every third sample tells silence from sound: every fourth one of a tone of 1000 or 2000 Hz is zero. */
const LOOK_EVERY = 3;

const pcm = new Int16Array(FRAME_BYTES);
const LOUD = Uint8Array.from(decodeUlaw(Uint8Array.from({ length: 256 }, (_, code) => code)), (sample) =>
  Math.abs(sample) > SILENCE_LEVEL ? 1 : 0,
);

/** Looks at each frame once, cheaply, and keeps none. */
export class Heard {
  readonly #toneHz: number;
  readonly #sounds: string[] = [];
  #frames = 0;
  #ownTone = 0;
  #silent = 0;
  #firstSoundAfterMs: number | undefined;
  #gaps = 0;
  #longestGapMs = 0;
  #lastAt = 0;

  /** @param toneHz of the caller's own tone; 0: it has none */
  constructor(toneHz: number) {
    this.#toneHz = toneHz;
  }

  /** @param now milliseconds since the answer @returns whether it is no silence */
  frame(frame: Uint8Array, now: number): boolean {
    const pause = now - this.#lastAt - FRAME_MS;
    if (this.#frames > 0 && pause >= GAP_MS) {
      this.#gaps += 1;
      this.#longestGapMs = Math.max(this.#longestGapMs, pause);
    }
    this.#lastAt = now;
    this.#frames += 1;
    if (!isLoud(frame)) {
      this.#silent += 1;
      return false;
    }
    this.#firstSoundAfterMs ??= now;
    if (this.#toneHz > 0 && toneLevel(decodeUlaw(frame, pcm), 8000, this.#toneHz) >= OWN_TONE_LEVEL) this.#ownTone += 1;
    return true;
  }

  sound(mediaUri: string): void {
    if (this.#sounds.length < MOST_SOUNDS) this.#sounds.push(mediaUri);
  }

  get report(): HeardReport {
    return {
      frames: this.#frames,
      ownToneFrames: this.#ownTone,
      silentFrames: this.#silent,
      otherFrames: this.#frames - this.#ownTone - this.#silent,
      ...(this.#firstSoundAfterMs !== undefined && { firstSoundAfterMs: Math.round(this.#firstSoundAfterMs) }),
      gaps: this.#gaps,
      longestGapMs: Math.round(this.#longestGapMs),
      sounds: [...this.#sounds],
    };
  }
}

function isLoud(frame: Uint8Array): boolean {
  for (let i = 0; i < frame.length; i += LOOK_EVERY) if (LOUD[frame[i] as number] === 1) return true;
  return false;
}
