import { type AudioFormat, msOfBytes, type SpeechDetector, type TimeSource } from '@callfleet/media';
import { z } from 'zod';
import { CallerSpeech } from './caller-speech.ts';
import type { HeldPlayout } from './held-playout.ts';
import { InterruptionTimes } from './interruption-times.ts';

const settings = z
  .strictObject({
    /** False: never. */
    enabled: z.boolean().default(true),
    /** Not in the first so many milliseconds of each answer. */
    protectMs: z.int().min(0).max(60_000).default(0),
    /** Only what is at least so long does, milliseconds. 0: at the AI's word. */
    minSpeechMs: z.int().min(0).max(5000).default(0),
    /** Not again within so many milliseconds. */
    coolDownMs: z.int().min(0).max(60_000).default(0),
    /** After speech that is shorter the bot goes on where it was cut, milliseconds. 0: never. */
    resumeAfterMs: z.int().min(0).max(5000).default(0),
    /** Only so many words that the AI has understood do. 0: it takes none. */
    minWords: z.int().min(0).max(20).default(0),
  })
  .refine(({ enabled, protectMs, minSpeechMs, coolDownMs, resumeAfterMs, minWords }) => {
    return enabled || protectMs + minSpeechMs + coolDownMs + resumeAfterMs + minWords === 0;
  }, 'what is not enabled takes no more settings')
  .refine(({ minSpeechMs, resumeAfterMs }) => resumeAfterMs === 0 || resumeAfterMs > minSpeechMs, {
    path: ['resumeAfterMs'],
    error: 'must be above minSpeechMs',
  })
  .refine(({ minWords, resumeAfterMs }) => minWords === 0 || resumeAfterMs === 0, {
    path: ['resumeAfterMs'],
    error: 'does not go with minWords: with that, the bot is not cut before it is clear that it must be',
  });

/** When the caller's voice cuts the bot short; the option `bargeIn` of every AI. */
export const bargeIn = settings
  .refine(({ minWords }) => minWords === 0, {
    path: ['minWords'],
    error:
      'needs an AI that tells what the caller says while he is still speaking, as gemini does and this one does not',
  })
  .prefault({});

/** Of an AI that tells so. */
export const bargeInByWords = settings.prefault({});

export type BargeInSettings = z.output<typeof bargeIn>;

/** Hears when the caller speaks; some hold memory that must be given back. */
export interface Ear extends SpeechDetector {
  close?(): void;
}

/** An ear notices a voice a little after it began, milliseconds: so much is held back while the bot speaks. */
const HELD_BACK_MS = 100;

/** Of what the AI is not to hear yet the end is kept, milliseconds. */
const MAX_HELD_MS = 10_000;

/** Whether somebody must stand between the caller and the AI. */
export function isGated(settings: BargeInSettings, goesOnByItself: boolean): boolean {
  const { enabled, protectMs, minSpeechMs, coolDownMs, resumeAfterMs, minWords } = settings;
  if (!enabled) return !goesOnByItself;
  return protectMs + minSpeechMs + coolDownMs + resumeAfterMs + minWords > 0;
}

/**
 * Decides when the caller may interrupt. Most AIs stop by themselves when they hear a voice, and can't be told to wait: so they
 * do not hear it before they may stop. It is held back, and comes to them as it was, or as silence.
 */
export class BargeInGate {
  readonly #settings: BargeInSettings;
  readonly #format: AudioFormat;
  readonly #time: TimeSource;
  readonly #playout: HeldPlayout;
  readonly #times: InterruptionTimes;
  readonly #ear: Ear;
  readonly #caller: CallerSpeech;
  readonly #pass: (frame: Uint8Array, atMs: number) => void;
  #held: Array<{ readonly frame: Uint8Array; readonly atMs: number }> = [];
  #heldMs = 0;
  /** What the caller is saying goes to the AI. */
  #isLetThrough = false;
  #hasCallerSpoken = false;
  /** When the bot began to speak: what the caller said before is no interruption. */
  #botBeganMs = 0;

  constructor(
    settings: BargeInSettings,
    format: AudioFormat,
    time: TimeSource,
    playout: HeldPlayout,
    ear: Ear,
    pass: (frame: Uint8Array, atMs: number) => void,
  ) {
    this.#settings = settings;
    this.#format = format;
    this.#time = time;
    this.#playout = playout;
    this.#times = new InterruptionTimes(settings, time, playout);
    this.#ear = ear;
    this.#pass = pass;
    this.#caller = new CallerSpeech(format, time, ear, { started: () => {}, stopped: () => this.#onStopped() });
  }

  hear(frame: Uint8Array): void {
    this.#caller.hear(frame);
    this.#held.push({ frame, atMs: this.#time.now() });
    this.#heldMs += msOfBytes(this.#format, frame.length);
    this.#decide();
    if (this.#isLetThrough || !this.#botSpeaks) this.#release(0);
    else if (!this.#caller.speaking) this.#release(HELD_BACK_MS);
    else this.#silence(MAX_HELD_MS);
  }

  /** Some of this answer comes, and is about to be queued. */
  onAudio(answer: string): void {
    if (!this.#botSpeaks) {
      this.#isLetThrough = false;
      this.#botBeganMs = this.#time.now();
    }
    if (this.#times.onAudio(answer, this.#hasCallerSpoken)) this.#hasCallerSpoken = false;
  }

  /** The bot was cut; of what it said, so much was not heard. */
  onCut(unplayedMs: number): void {
    this.#times.onCut(unplayedMs);
  }

  close(): void {
    this.#caller.close();
    this.#ear.close?.();
    this.#held = [];
  }

  get #botSpeaks(): boolean {
    return this.#playout.queuedMs > 0;
  }

  #decide(): void {
    const { minSpeechMs, resumeAfterMs } = this.#settings;
    if (!this.#caller.speaking) return;
    if (!this.#botSpeaks) {
      this.#isLetThrough = true;
      this.#hasCallerSpoken = true;
    }
    if (this.#isLetThrough || !this.#times.mayInterrupt) return;
    const spokenMs = this.#caller.spokenMsSince(this.#botBeganMs);
    if (spokenMs < Math.max(minSpeechMs, this.#ear.onsetMs)) return;
    if (resumeAfterMs > 0) this.#playout.hold();
    this.#isLetThrough = spokenMs >= resumeAfterMs;
    this.#hasCallerSpoken ||= this.#isLetThrough;
  }

  #onStopped(): void {
    if (this.#isLetThrough || !this.#botSpeaks) this.#release(0);
    else this.#silence(HELD_BACK_MS);
    this.#isLetThrough = false;
    // The AI has not said that it was interrupted.
    if (this.#playout.isHeld) this.#playout.goOn();
  }

  /** @param restMs so much stays */
  #release(restMs: number): void {
    this.#take(restMs, (frame) => frame);
  }

  #silence(restMs: number): void {
    this.#take(restMs, (frame) => new Uint8Array(frame.length).fill(this.#format.silenceByte));
  }

  #take(restMs: number, as: (frame: Uint8Array) => Uint8Array): void {
    while (this.#heldMs > restMs) {
      const oldest = this.#held.shift();
      if (!oldest) return;
      this.#heldMs -= msOfBytes(this.#format, oldest.frame.length);
      this.#pass(as(oldest.frame), oldest.atMs);
    }
  }
}
