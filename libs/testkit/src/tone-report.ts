import { dbfsOf, toneLevel } from '@callfleet/media';
import { type HeardFrame, SAMPLE_RATE } from './heard-audio.ts';
import { strongestTone } from './strongest-tone.ts';

/** A tone from when to when, milliseconds since the INVITE left, to within about 20 ms. */
export interface HeardTone {
  readonly hz: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Its mean share of what was heard meanwhile, 0..1. */
  readonly level: number;
}

export interface ToneReport {
  /** Of the expected tones, each time that one was heard. */
  readonly expected: readonly HeardTone[];
  /** Tones that were not expected. */
  readonly others: readonly HeardTone[];
}

/** Packets that are judged together: 100 ms, enough to tell tones 20 Hz apart. */
const WINDOW = 5;

/** A tone is there from this share of the power on. */
const MIN_LEVEL = 0.2;

/** What is quieter holds no tone, dB below full scale. */
const SILENT_DBFS = -50;

/** Others this near to an expected tone are that tone; a tone that was cut off is spread that far. */
const SAME_TONE_HZ = 25;

/** Says which tones were in what a caller heard, and when. For speech it says nothing of use. */
export function toneReport(frames: readonly HeardFrame[], expectedHz: readonly number[]): ToneReport {
  const expected = expectedHz.map((hz) => new ToneTrack(hz));
  const others: ToneTrack[] = [];
  for (let end = WINDOW; end <= frames.length; end += 1) {
    const window = frames.slice(end - WINDOW, end);
    const pcm = joined(window);
    // A tone is in a window for its middle packet: of its edges, half a window each is not counted.
    const atMs = (window[Math.floor(WINDOW / 2)] as HeardFrame).atMs;
    const silent = dbfsOf(pcm) < SILENT_DBFS;
    for (const track of expected) track.see(atMs, silent ? 0 : toneLevel(pcm, SAMPLE_RATE, track.hz));

    const other = silent ? undefined : strongestTone(pcm, SAMPLE_RATE, expectedHz);
    const known = other && others.find(({ hz }) => Math.abs(hz - other.hz) <= SAME_TONE_HZ);
    if (other && !known && other.level >= MIN_LEVEL) others.push(new ToneTrack(other.hz));
    for (const track of others) {
      track.see(atMs, other && Math.abs(track.hz - other.hz) <= SAME_TONE_HZ ? other.level : 0);
    }
  }
  const all = (tracks: readonly ToneTrack[]) =>
    tracks.flatMap((track) => track.end()).toSorted((a, b) => a.fromMs - b.fromMs);
  return { expected: all(expected), others: all(others) };
}

/** The times at which one tone was there. */
class ToneTrack {
  readonly hz: number;
  readonly #heard: HeardTone[] = [];
  #current: { fromMs: number; toMs: number; levels: number[] } | undefined;

  constructor(hz: number) {
    this.hz = hz;
  }

  see(atMs: number, level: number): void {
    if (level < MIN_LEVEL) {
      this.#close();
      return;
    }
    this.#current ??= { fromMs: atMs, toMs: atMs, levels: [] };
    this.#current.toMs = atMs;
    this.#current.levels.push(level);
  }

  end(): HeardTone[] {
    this.#close();
    return this.#heard;
  }

  #close(): void {
    if (!this.#current) return;
    const { fromMs, toMs, levels } = this.#current;
    this.#current = undefined;
    const level = levels.reduce((sum, one) => sum + one, 0) / levels.length;
    this.#heard.push({ hz: this.hz, fromMs, toMs, level });
  }
}

function joined(frames: readonly HeardFrame[]): Int16Array {
  return Int16Array.from(frames.flatMap(({ pcm }) => [...pcm]));
}
