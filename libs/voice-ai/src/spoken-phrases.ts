import { setImmediate as yieldToCalls } from 'node:timers/promises';
import { type AudioFormat, fromPcm, Resampler } from '@callfleet/media';
import { SPEECH_HZ, type Synthesis, type Voice } from './espeak.ts';

/** Half an hour in G.711. */
const MAX_BYTES = 16 * 1024 * 1024;

/** What was said once is not synthesized again; the phrases that nobody used for the longest time are forgotten. */
export class SpokenPhrases {
  readonly #synthesize: Synthesis;
  readonly #maxBytes: number;
  /** The last one was used last. */
  readonly #kept = new Map<string, Uint8Array>();
  readonly #underWay = new Map<string, Promise<Uint8Array>>();
  #bytes = 0;

  constructor(synthesize: Synthesis, maxBytes = MAX_BYTES) {
    this.#synthesize = synthesize;
    this.#maxBytes = maxBytes;
  }

  /** A text as audio. Nobody may change it. @throws VoiceProviderError */
  async audio(text: string, voice: Voice, format: AudioFormat): Promise<Uint8Array> {
    const key = JSON.stringify([format.name, voice.voice, voice.wordsPerMinute, text]);
    const kept = this.#kept.get(key);
    if (kept) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept;
    }
    const underWay = this.#underWay.get(key) ?? this.#make(text, voice, format, key);
    this.#underWay.set(key, underWay);
    return underWay.finally(() => this.#underWay.delete(key));
  }

  async #make(text: string, voice: Voice, format: AudioFormat, key: string): Promise<Uint8Array> {
    const audio = await converted(await this.#synthesize(text, voice), format);
    this.#kept.set(key, audio);
    this.#bytes += audio.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#kept.delete(oldest);
      this.#bytes -= length;
    }
    return audio;
  }
}

/** A second at a time: a long text must not hold up the frames of all calls. */
async function converted(pcm: Int16Array, format: AudioFormat): Promise<Uint8Array> {
  const resampler = new Resampler({ fromHz: SPEECH_HZ, toHz: format.sampleRate });
  const parts: Uint8Array[] = [];
  for (let at = 0; at < pcm.length; at += SPEECH_HZ) {
    parts.push(fromPcm(format, resampler.process(pcm.subarray(at, at + SPEECH_HZ))));
    await yieldToCalls();
  }
  return Buffer.concat(parts);
}
