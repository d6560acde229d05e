import { type AudioFormat, FRAME_MS, type SpeechDetector, type TimeSource, toPcm } from '@callfleet/media';
import type { Stretch } from './caller-voice.ts';

/** After the silence that must end it a detector may want some more, milliseconds. */
const MORE_SILENCE_MS = 1000;

/** Tells in the same frame when the caller begins to speak, and when it is over; also on lines that send nothing but speech. */
export class CallerSpeech {
  readonly #format: AudioFormat;
  readonly #time: TimeSource;
  readonly #detector: SpeechDetector;
  readonly #onStarted: (atMs: number) => void;
  readonly #onStopped: (said: Stretch) => void;
  #startedAtMs = 0;
  #lastHeardAtMs = 0;
  #cancelTimer: () => void = () => {};

  constructor(
    format: AudioFormat,
    time: TimeSource,
    detector: SpeechDetector,
    on: { readonly started: (atMs: number) => void; readonly stopped: (said: Stretch) => void },
  ) {
    this.#format = format;
    this.#time = time;
    this.#detector = detector;
    this.#onStarted = on.started;
    this.#onStopped = on.stopped;
  }

  get speaking(): boolean {
    return this.#detector.speaking;
  }

  /** How long the caller has been speaking since then, the pause since the last sound not counted; 0 while silent. */
  spokenMsSince(atMs: number): number {
    if (!this.#detector.speaking) return 0;
    return Math.max(0, this.#lastHeardAtMs - this.#detector.quietMs - Math.max(atMs, this.#startedAtMs));
  }

  /** When the last frame came. */
  get lastHeardAtMs(): number {
    return this.#lastHeardAtMs;
  }

  hear(frame: Uint8Array): void {
    const now = this.#time.now();
    this.#lastHeardAtMs = now;
    const change = this.#detector.hear(toPcm(this.#format, frame));
    if (change === 'started') {
      this.#startedAtMs = Math.max(0, now - this.#detector.onsetMs);
      this.#awaitSilence(this.#detector.hangoverMs);
      this.#onStarted(this.#startedAtMs);
    } else if (change === 'stopped') this.#stopped(now - this.#detector.hangoverMs);
  }

  close(): void {
    this.#cancelTimer();
  }

  /** Some PBXs send nothing at all while a caller is silent: then the missing audio is the silence. */
  #awaitSilence(ms: number): void {
    this.#cancelTimer = this.#time.after(ms, () => {
      const { hangoverMs } = this.#detector;
      const quietMs = this.#time.now() - this.#lastHeardAtMs;
      if (quietMs < hangoverMs) {
        this.#awaitSilence(hangoverMs - quietMs);
        return;
      }
      const silence = new Int16Array((FRAME_MS * this.#format.sampleRate) / 1000);
      for (let fed = 0; this.#detector.speaking && fed < hangoverMs + MORE_SILENCE_MS; fed += FRAME_MS)
        if (this.#detector.hear(silence) === 'stopped') return this.#stopped(this.#lastHeardAtMs);
    });
  }

  #stopped(endMs: number): void {
    this.#cancelTimer();
    this.#onStopped({ startMs: this.#startedAtMs, endMs });
  }
}
