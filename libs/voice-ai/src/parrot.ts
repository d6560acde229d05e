import { bytesOfMs, EnergyVad, msOfBytes, SPEECH_DBFS } from '@callfleet/media';
import { z } from 'zod';
import { CallerSpeech } from './caller-speech.ts';
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
  readonly #speech: CallerSpeech;
  /** What was said so far; while nobody speaks, the last {@link PRE_ROLL_MS}. */
  #heard: Uint8Array[] = [];
  #heardBytes = 0;
  #startedAtMs = 0;
  #open = true;

  constructor(context: VoiceContext, options: ParrotOptions) {
    this.#context = context;
    this.#options = options;
    const { format, time } = context;
    const { thresholdDbfs, silenceMs } = options;
    const vad = new EnergyVad({ sampleRate: format.sampleRate, thresholdDbfs, hangoverMs: silenceMs });
    this.#speech = new CallerSpeech(format, time, vad, {
      started: (atMs) => this.#onStarted(atMs),
      stopped: ({ endMs }) => this.#onStopped(endMs),
    });
  }

  hear(frame: Uint8Array): void {
    if (!this.#open) return;
    const { format, time } = this.#context;
    this.#heard.push(frame);
    this.#heardBytes += frame.length;
    this.#speech.hear(frame);
    if (!this.#speech.speaking) this.#keepAtMost(PRE_ROLL_MS);
    else if (msOfBytes(format, this.#heardBytes) >= this.#options.maxUtteranceMs) this.#sayBack(time.now());
  }

  digit(): void {}

  toolResult(): void {}

  async close(): Promise<void> {
    this.#open = false;
    this.#speech.close();
    this.#heard = [];
  }

  #onStarted(atMs: number): void {
    const { playout, tell, time } = this.#context;
    this.#startedAtMs = atMs;
    tell({ type: 'speech-started', atMs });
    if (playout.queuedMs > 0) tell({ type: 'interrupted', atMs: time.now(), unplayedMs: playout.flush() });
  }

  #onStopped(atMs: number): void {
    this.#context.tell({ type: 'speech-stopped', atMs });
    this.#sayBack(atMs);
  }

  /** Says back what was heard until `endMs`, and begins a new turn there. */
  #sayBack(endMs: number): void {
    const { format, playout, tell } = this.#context;
    const heard = Buffer.concat(this.#heard);
    const silence = bytesOfMs(format, this.#speech.lastHeardAtMs - endMs);
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
