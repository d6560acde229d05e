import { type AudioFormat, msOfBytes, type TimeSource } from '@callfleet/media';
import { PlayoutMarks } from './playout-marks.ts';
import type { Playout } from './provider.ts';
import type { OpenTurn, Turns } from './turns.ts';

/** How much of something the bot said was heard before the caller interrupted. */
export interface CutSpeech {
  readonly item: string;
  /** Milliseconds that were really played: never more than there were. */
  readonly heardMs: number;
}

interface Spoken {
  readonly answer: string;
  readonly item: string;
  readonly turn: OpenTurn;
  /** Its place in all that is played, milliseconds; undefined as long as there is no sound of it. */
  atMs: number | undefined;
  ms: number;
  text: string;
  /** The AI adds nothing to it any more. */
  whole: boolean;
  /** When it began to be heard; known when some of it was played. */
  startedAt: number | undefined;
  /** When all that came of it was played; undefined as long as some of it waits. */
  playedOutAt: number | undefined;
  cancelPause: () => void;
}

/** Of so many interrupted answers the late rest is known. */
const ANSWERS_REMEMBERED = 20;

/** Some AIs do not say where their answers end: after a pause that is longer than any within an answer, milliseconds. */
const PAUSE_ENDS_ANSWER_MS = 3000;

/**
 * What the bot says on its way from the AI, which sends it faster than it is played, to the caller: what was heard of it, and when.
 *
 * An answer is what the AI takes back as a whole; it has one item or several.
 */
export class BotSpeech {
  readonly marks: PlayoutMarks;
  readonly #format: AudioFormat;
  readonly #playout: Playout;
  readonly #time: TimeSource;
  readonly #turns: Turns;
  #spoken: Spoken[] = [];
  readonly #dropped = new Set<string>();

  constructor(format: AudioFormat, playout: Playout, time: TimeSource, turns: Turns) {
    this.#format = format;
    this.#playout = playout;
    this.#time = time;
    this.#turns = turns;
    this.marks = new PlayoutMarks(playout, time);
  }

  /** @param audio in the leg's format */
  play(audio: Uint8Array, answer: string, item = answer): void {
    if (this.#dropped.has(answer) || audio.length === 0) return;
    const spoken = this.#itemOf(answer, item);
    const isWatched = spoken.atMs !== undefined && spoken.playedOutAt === undefined;
    spoken.atMs ??= this.marks.endMs;
    spoken.ms += msOfBytes(this.#format, audio.length);
    this.#playout.play(audio);
    if (!isWatched) this.#watch(spoken);
  }

  /** More of its words. */
  say(text: string, answer: string, item = answer): void {
    if (!this.#dropped.has(answer)) this.#itemOf(answer, item).text += text;
  }

  /** The AI adds nothing to this answer. */
  end(answer: string): void {
    for (const spoken of this.#spoken) {
      if (spoken.answer !== answer) continue;
      spoken.whole = true;
      if (spoken.ms === 0 || spoken.playedOutAt !== undefined) this.#finish(spoken);
    }
  }

  /** Nothing is added to anything. */
  endAll(): void {
    for (const spoken of this.#spoken) this.#finish(spoken);
  }

  /** All that still comes of this answer is not played. */
  drop(answer: string): void {
    this.#dropped.add(answer);
    const [oldest] = this.#dropped;
    if (oldest !== undefined && this.#dropped.size > ANSWERS_REMEMBERED) this.#dropped.delete(oldest);
  }

  isDropped(answer: string): boolean {
    return this.#dropped.has(answer);
  }

  /** Silences the bot at once; what still comes of what it was saying is dropped. */
  cut(): { readonly unplayedMs: number; readonly cut: readonly CutSpeech[] } {
    const { playedMs } = this.#playout;
    const unplayedMs = this.#playout.flush();
    const cut: CutSpeech[] = [];
    for (const spoken of this.#spoken) {
      const { atMs, ms, item, answer, whole } = spoken;
      const heardMs = atMs === undefined ? 0 : Math.min(ms, Math.max(0, playedMs - atMs));
      if (!whole || heardMs < ms) this.drop(answer);
      if (heardMs < ms) cut.push({ item, heardMs });
      this.#finish(spoken, heardMs);
    }
    this.marks.look();
    return { unplayedMs, cut };
  }

  close(): void {
    this.marks.close();
    for (const { cancelPause } of this.#spoken) cancelPause();
    this.#spoken = [];
  }

  #itemOf(answer: string, item: string): Spoken {
    const known = this.#spoken.find((spoken) => spoken.item === item && spoken.answer === answer);
    if (known) return known;
    const turn = this.#turns.begin('bot');
    const unheard = { atMs: undefined, startedAt: undefined, playedOutAt: undefined };
    const spoken: Spoken = { answer, item, turn, ms: 0, text: '', whole: false, cancelPause: () => {}, ...unheard };
    this.#spoken.push(spoken);
    return spoken;
  }

  #watch(spoken: Spoken): void {
    const { atMs = 0, ms } = spoken;
    spoken.playedOutAt = undefined;
    spoken.cancelPause();
    this.marks.at(atMs + ms, () => {
      if (!this.#spoken.includes(spoken)) return;
      if (spoken.ms > ms) return this.#watch(spoken);
      spoken.playedOutAt = this.#time.now();
      spoken.startedAt ??= spoken.playedOutAt - ms;
      if (spoken.whole) return this.#finish(spoken);
      spoken.cancelPause = this.#time.after(PAUSE_ENDS_ANSWER_MS, () => this.#finish(spoken));
    });
  }

  #finish(spoken: Spoken, heardMs = spoken.ms): void {
    if (!this.#spoken.includes(spoken)) return;
    this.#spoken = this.#spoken.filter((other) => other !== spoken);
    spoken.cancelPause();
    const endMs = spoken.playedOutAt ?? this.#time.now();
    spoken.turn.end(firstPart(spoken.text, heardMs, spoken.ms), {
      startMs: Math.max(0, spoken.startedAt ?? endMs - heardMs),
      endMs,
    });
  }
}

/** The words that were heard, as far as can be told: AIs do not say when which word comes. */
function firstPart(text: string, heardMs: number, ms: number): string {
  if (heardMs >= ms) return text;
  const length = Math.round((text.length * heardMs) / ms);
  const end = text.lastIndexOf(' ', length);
  return end > 0 ? `${text.slice(0, end)} ...` : '';
}
