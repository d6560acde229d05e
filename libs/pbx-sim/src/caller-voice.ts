import { encodeUlaw, tone } from '@callfleet/media';
import { FRAME_BYTES } from './leg-codec.ts';

/** What a caller says: a tone, all the time or in turns; or nothing, which is sent too. */
export interface Talk {
  /** 50 to 3800, a multiple of 50. Default: another one for each of 50 callers. 0: silence. */
  readonly toneHz?: number | undefined;
  /** Speaks for so long, then is silent for `pauseMs`, and so on. Default: never silent. */
  readonly speakMs?: number | undefined;
  readonly pauseMs?: number | undefined;
}

const FRAME_MS = 20;
const SECOND_MS = 1000;
const TONES = 50;
const LOWEST_HZ = 400;
const STEP_HZ = 50;

const SILENCE = new Uint8Array(FRAME_BYTES).fill(0xff);
/** A second of each tone, in which it fits without a seam. Shared by all callers that have it. */
const loops = new Map<number, Uint8Array>();

/** Tones of callers that stand beside each other differ by more than a frame can tell apart. */
export function toneOf(callNumber: number): number {
  return LOWEST_HZ + (callNumber % TONES) * STEP_HZ;
}

/** What comes out of a caller's mouth, a frame at a time, made once for all callers. */
export class CallerVoice {
  readonly toneHz: number;
  readonly #loop: Uint8Array | undefined;
  readonly #speakFrames: number;
  readonly #turnFrames: number;
  #at = 0;

  constructor({ toneHz = 0, speakMs = 0, pauseMs = 0 }: Talk) {
    this.toneHz = toneHz;
    this.#loop = toneHz > 0 ? loopOf(toneHz) : undefined;
    this.#speakFrames = Math.round(speakMs / FRAME_MS);
    this.#turnFrames = this.#speakFrames + Math.round(pauseMs / FRAME_MS);
  }

  next(): Uint8Array {
    const n = this.#at;
    this.#at += 1;
    const isPause = this.#turnFrames > 0 && n % this.#turnFrames >= this.#speakFrames && this.#speakFrames > 0;
    if (!this.#loop || isPause) return SILENCE;
    const from = (n % (SECOND_MS / FRAME_MS)) * FRAME_BYTES;
    return this.#loop.subarray(from, from + FRAME_BYTES);
  }
}

function loopOf(hz: number): Uint8Array {
  let loop = loops.get(hz);
  if (!loop) {
    loop = encodeUlaw(tone({ hz, ms: SECOND_MS, sampleRate: 8000 }));
    loops.set(hz, loop);
  }
  return loop;
}
