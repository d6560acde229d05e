import type { AudioFormat, TimeSource } from '@callfleet/media';
import type { BargeInSettings, Ear } from './barge-in.ts';
import { CallerSpeech } from './caller-speech.ts';
import { InterruptionTimes } from './interruption-times.ts';
import type { Playout } from './provider.ts';

/** After so much silence what the caller says is counted anew, milliseconds. */
export const WORDS_HANGOVER_MS = 1000;

/** Of what is said on and on the end is enough to count, characters. */
const MAX_TEXT = 1000;

/** Also of languages that put no spaces between them. */
const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

export interface BargeInByWordsOptions {
  readonly settings: BargeInSettings;
  readonly format: AudioFormat;
  readonly time: TimeSource;
  readonly playout: Playout;
  readonly ear: Ear;
  /** To the AI, at once: it must hear the caller to understand words. */
  readonly pass: (frame: Uint8Array, atMs: number) => void;
  /** The caller has said enough: the bot is to be silent. */
  readonly interrupt: () => void;
}

/** Decides when the caller has said so many words that he means to interrupt. The AI hears him meanwhile, and must not stop by itself. */
export class BargeInByWords {
  readonly #options: BargeInByWordsOptions;
  readonly #times: InterruptionTimes;
  readonly #caller: CallerSpeech;
  /** When the bot began to speak: what the caller said before is no interruption. */
  #botBeganMs = 0;
  /** The most that he has spoken since then without a long pause. */
  #spokenMs = 0;
  #text = '';
  #words = 0;
  #hasCallerSpoken = false;

  constructor(options: BargeInByWordsOptions) {
    const { settings, format, time, playout, ear } = options;
    this.#options = options;
    this.#times = new InterruptionTimes(settings, time, playout);
    this.#caller = new CallerSpeech(format, time, ear, { started: () => this.#forget(), stopped: () => {} });
  }

  hear(frame: Uint8Array): void {
    const { pass, time } = this.#options;
    this.#caller.hear(frame);
    this.#spokenMs = Math.max(this.#spokenMs, this.#caller.spokenMsSince(this.#botBeganMs));
    this.#hasCallerSpoken ||= this.#caller.speaking;
    pass(frame, time.now());
    // What he said when he might not interrupt does not cut the bot when he is silent again.
    if (this.#caller.speaking) this.#decide();
  }

  /** The AI has understood some more of what the caller says. What comes late of an earlier question does not count. */
  understood(text: string, interim = ''): void {
    if (this.#spokenMs < this.#options.ear.onsetMs) return;
    this.#text = (this.#text + text).slice(-MAX_TEXT);
    this.#words = wordsIn(this.#text + interim.slice(-MAX_TEXT));
    this.#decide();
  }

  /** Some of this answer comes, and is about to be queued. */
  onAudio(answer: string): void {
    const { playout, time } = this.#options;
    if (playout.queuedMs === 0) {
      this.#botBeganMs = time.now();
      this.#forget();
    }
    if (this.#times.onAudio(answer, this.#hasCallerSpoken)) this.#hasCallerSpoken = false;
  }

  /** The bot was cut; of what it said, so much was not heard. */
  onCut(unplayedMs: number): void {
    this.#times.onCut(unplayedMs);
    this.#forget();
  }

  close(): void {
    this.#caller.close();
    this.#options.ear.close?.();
  }

  #decide(): void {
    const { settings, ear, playout, interrupt } = this.#options;
    const isEnough = this.#words >= settings.minWords && this.#spokenMs >= Math.max(settings.minSpeechMs, ear.onsetMs);
    if (isEnough && playout.queuedMs > 0 && this.#times.mayInterrupt) interrupt();
  }

  #forget(): void {
    this.#spokenMs = 0;
    this.#text = '';
    this.#words = 0;
  }
}

function wordsIn(text: string): number {
  return [...segmenter.segment(text)].filter(({ isWordLike }) => isWordLike).length;
}
