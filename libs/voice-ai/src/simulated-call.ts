import {
  type AudioFormat,
  type FormatName,
  FRAME_MS,
  formatNamed,
  fromPcm,
  PlayoutBuffer,
  tone,
} from '@callfleet/media';
import { SimulatedTime } from '@callfleet/media/testing';
import type { VoiceContext, VoiceEvent, VoiceProvider, VoiceSession } from './provider.ts';

/** A call in simulated time, for tests of providers: the caller speaks tones, and what the provider plays is kept. */
export class SimulatedCall {
  readonly format: AudioFormat;
  readonly events: VoiceEvent[] = [];
  /** Everything the caller was played, frame by frame, silence included. */
  readonly played: Uint8Array[] = [];
  readonly hangup = new AbortController();
  readonly #buffer: PlayoutBuffer;
  readonly #time = new SimulatedTime();
  #session: VoiceSession | undefined;

  constructor(format: FormatName) {
    this.format = formatNamed(format);
    this.#buffer = new PlayoutBuffer(this.format);
  }

  get now(): number {
    return this.#time.now();
  }

  get queuedMs(): number {
    return this.#buffer.queuedMs;
  }

  get playedMs(): number {
    return this.#buffer.playedMs;
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#time.timers;
  }

  /** What was said before. */
  history: VoiceContext['history'] = [];

  async closeIfConnected(): Promise<void> {
    await this.#session?.close();
  }

  get session(): VoiceSession {
    if (!this.#session) throw new Error('connect first');
    return this.#session;
  }

  async connect(provider: VoiceProvider): Promise<void> {
    const buffer = this.#buffer;
    this.#session = await provider.open({
      call: 'pbx-a.1763701200_12',
      format: this.format,
      playout: {
        play: (chunk) => buffer.push(chunk),
        flush: () => buffer.flush(),
        get queuedMs() {
          return buffer.queuedMs;
        },
        get playedMs() {
          return buffer.playedMs;
        },
      },
      time: this.#time,
      tell: (event) => this.events.push(event),
      history: this.history,
      signal: this.hangup.signal,
    });
  }

  /** The caller makes this tone, or voice, for so long; 0 is silence, and `undefined` sends no audio at all. */
  say(ms: number, level: number | 'voice' | undefined): void {
    for (const frame of this.frames(ms, level)) this.step(frame);
  }

  /** Nobody says anything for so long, and nothing is played. */
  pass(ms: number): void {
    this.#time.pass(ms);
  }

  protected *frames(ms: number, level: number | 'voice' | undefined): Iterable<Uint8Array | undefined> {
    const { frameBytes, sampleRate } = this.format;
    const pcm = level === 'voice' ? voiceLike(ms, sampleRate) : tone({ hz: 500, ms, sampleRate, level: level ?? 0 });
    const audio = level === undefined ? undefined : fromPcm(this.format, pcm);
    for (let at = 0; at < ms; at += FRAME_MS) {
      const start = (at / FRAME_MS) * frameBytes;
      yield audio?.subarray(start, start + frameBytes);
    }
  }

  protected step(said: Uint8Array | undefined): void {
    this.#time.pass(FRAME_MS);
    const frame = new Uint8Array(this.format.frameBytes);
    this.#buffer.takeInto(frame);
    this.played.push(frame);
    if (said) this.session.hear(said);
  }
}

/** A detector of voices takes this for one, and a tone for noise after a while: a buzz with its overtones, that swells and ebbs. */
function voiceLike(ms: number, sampleRate: number): Int16Array {
  return Int16Array.from({ length: (ms * sampleRate) / 1000 }, (_, at) => {
    const turn = (2 * Math.PI * at) / sampleRate;
    let buzz = 0;
    for (let overtone = 1; overtone <= 20; overtone += 1) buzz += Math.sin(130 * overtone * turn) / overtone;
    return buzz * (0.35 + 0.65 * Math.abs(Math.sin(2.5 * turn))) * 5000;
  });
}
