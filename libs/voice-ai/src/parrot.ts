import { bytesOfMs, EnergyVad, msOfBytes, SPEECH_DBFS, toPcm } from '@callfleet/media';
import { z } from 'zod';
import type { VoiceContext, VoiceProvider, VoiceSession } from './provider.ts';
import { parseOptions } from './provider-options.ts';

const options = {
  /** So much silence ends what the caller says, milliseconds. */
  silenceMs: z.int().min(100).max(5000).default(600),
  /** Audio at least this loud is speech, dBFS. */
  thresholdDbfs: z.number().min(-90).max(0).default(SPEECH_DBFS),
  /** What is longer is said back in parts, milliseconds: the bound of its memory. */
  maxUtteranceMs: z.int().min(1000).max(300_000).default(30_000),
};

type ParrotOptions = z.output<z.ZodObject<typeof options>>;

/**
 * Listens until the caller stops, then says it back; falls silent when the caller interrupts. A whole conversation (turns,
 * barge-in, playout faster than real time) without an AI, for demos and tests.
 *
 * @throws VoiceProviderError CF_PROVIDER_OPTIONS
 */
export function parrot(given: unknown): VoiceProvider {
  const parsed = parseOptions('parrot', options, given);
  return {
    name: 'parrot',
    open: async (context) => {
      context.signal.throwIfAborted();
      return new ParrotSession(context, parsed);
    },
  };
}

/** Kept from before speech is noticed, so that its first sound is not cut. Milliseconds. */
const PRE_ROLL_MS = 200;

class ParrotSession implements VoiceSession {
  readonly #context: VoiceContext;
  readonly #options: ParrotOptions;
  readonly #vad: EnergyVad;
  /** What was said so far; while nobody speaks, the last {@link PRE_ROLL_MS}. */
  #heard: Uint8Array[] = [];
  #heardBytes = 0;
  #startedAtMs = 0;
  #lastHeardAtMs = 0;
  #cancelTimer: (() => void) | undefined;
  #open = true;

  constructor(context: VoiceContext, options: ParrotOptions) {
    this.#context = context;
    this.#options = options;
    this.#vad = new EnergyVad({
      sampleRate: context.format.sampleRate,
      thresholdDbfs: options.thresholdDbfs,
      hangoverMs: options.silenceMs,
    });
  }

  hear(frame: Uint8Array): void {
    if (!this.#open) return;
    const { format, time } = this.#context;
    this.#lastHeardAtMs = time.now();
    this.#heard.push(frame);
    this.#heardBytes += frame.length;
    const change = this.#vad.hear(toPcm(format, frame));
    if (change === 'started') this.#onStarted();
    else if (change === 'stopped') this.#onStopped(time.now() - this.#options.silenceMs);
    else if (!this.#vad.speaking) this.#keepAtMost(PRE_ROLL_MS);
    else if (msOfBytes(format, this.#heardBytes) >= this.#options.maxUtteranceMs) this.#sayBack(time.now());
  }

  digit(): void {}

  toolResult(): void {}

  async close(): Promise<void> {
    this.#open = false;
    this.#cancelTimer?.();
    this.#heard = [];
  }

  #onStarted(): void {
    const { playout, tell, time } = this.#context;
    this.#startedAtMs = time.now() - this.#vad.onsetMs;
    tell({ type: 'speech-started', atMs: this.#startedAtMs });
    if (playout.queuedMs > 0) tell({ type: 'interrupted', atMs: time.now(), unplayedMs: playout.flush() });
    this.#awaitSilence(this.#options.silenceMs);
  }

  /** Some PBXs send nothing at all while a caller is silent: then the missing audio is the silence. */
  #awaitSilence(ms: number): void {
    const { format, time } = this.#context;
    this.#cancelTimer = time.after(ms, () => {
      const quietMs = time.now() - this.#lastHeardAtMs;
      if (quietMs < this.#options.silenceMs) {
        this.#awaitSilence(this.#options.silenceMs - quietMs);
        return;
      }
      const silence = new Int16Array((this.#options.silenceMs * format.sampleRate) / 1000);
      if (this.#vad.hear(silence) === 'stopped') this.#onStopped(this.#lastHeardAtMs);
    });
  }

  #onStopped(atMs: number): void {
    this.#cancelTimer?.();
    this.#context.tell({ type: 'speech-stopped', atMs });
    this.#sayBack(atMs);
  }

  /** Says back what was heard until `endMs`, and begins a new turn there. */
  #sayBack(endMs: number): void {
    const { format, playout, tell } = this.#context;
    const heard = Buffer.concat(this.#heard);
    const silence = bytesOfMs(format, this.#lastHeardAtMs - endMs);
    const startMs = this.#startedAtMs;
    this.#heard = [];
    this.#heardBytes = 0;
    this.#startedAtMs = endMs;
    tell({ type: 'turn', role: 'caller', text: `(${Math.round(endMs - startMs)} ms of speech)`, startMs, endMs });
    playout.play(heard.subarray(0, Math.max(0, heard.length - silence)));
  }

  #keepAtMost(ms: number): void {
    const most = bytesOfMs(this.#context.format, ms);
    for (let first = this.#heard[0]; first && this.#heardBytes - first.length >= most; first = this.#heard[0]) {
      this.#heard.shift();
      this.#heardBytes -= first.length;
    }
  }
}
