import { dbfsOf } from '@callfleet/media';
import type { HeardAudio, Stretch } from './heard-audio.ts';

/** Speech as a caller heard it. Times are milliseconds since the INVITE left. */
export interface HeardSpeech {
  readonly fromMs: number;
  readonly toMs: number;
  /** How much of it was not silent. */
  readonly ms: number;
  /** Of what was not silent, RMS. */
  readonly dbfs: number;
}

const FRAME_MS = 20;
/** What is quieter is a pause, dBFS. */
const AUDIBLE_DBFS = -45;

/** What was said in a stretch of a call; undefined: nothing. */
export function speechIn(
  heard: HeardAudio,
  { fromMs = 0, toMs = Number.POSITIVE_INFINITY }: Stretch = {},
): HeardSpeech | undefined {
  const audible = heard.frames.filter(({ atMs, pcm }) => atMs >= fromMs && atMs < toMs && dbfsOf(pcm) >= AUDIBLE_DBFS);
  const [first] = audible;
  const last = audible.at(-1);
  if (!first || !last) return undefined;
  const power = audible.reduce((sum, { pcm }) => sum + 10 ** (dbfsOf(pcm) / 10), 0) / audible.length;
  return {
    fromMs: first.atMs,
    toMs: last.atMs + FRAME_MS,
    ms: audible.length * FRAME_MS,
    dbfs: 10 * Math.log10(power),
  };
}
