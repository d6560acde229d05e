import type { ExternalMedia } from '@callfleet/bus';
import { FRAME_MS, formatNamed, type PlayoutBuffer, type TimeSource } from '@callfleet/media';
import type { VoiceContext, VoiceProvider } from '@callfleet/voice-ai';
import type { MediaTransport, TransportListener, TransportStats } from './transport.ts';

/** A transport without a network, for tests of what stands above it. It is ahead of the PBX by `leadMs`. */
export class SimulatedTransport implements MediaTransport {
  readonly kind = 'rtp';
  readonly format = formatNamed('ulaw');
  readonly stats: TransportStats = { sent: 0, sentWithAudio: 0, lost: 0, strangers: 0, malformed: 0 };
  readonly listener: TransportListener;
  /** First byte of each frame that was sent. */
  readonly sent: number[] = [];
  attached: Readonly<Record<string, string>> | undefined;
  closed = 0;
  unplayedMs = 0;
  /** Makes `open` or `attach` fail. */
  failure: Error | undefined;

  constructor(listener: TransportListener) {
    this.listener = listener;
  }

  async open(): Promise<ExternalMedia> {
    if (this.failure) throw this.failure;
    return {
      external_host: '127.0.0.1:20000',
      encapsulation: 'rtp',
      transport: 'udp',
      connection_type: 'client',
      format: 'ulaw',
    };
  }

  async attach(channelVariables: Readonly<Record<string, string>>): Promise<void> {
    if (this.failure) throw this.failure;
    this.attached = channelVariables;
  }

  pace(playout: PlayoutBuffer): void {
    const frame = new Uint8Array(this.format.frameBytes);
    if (playout.takeInto(frame)) this.stats.sentWithAudio += 1;
    this.stats.sent += 1;
    this.sent.push(frame[0] as number);
  }

  flush(): number {
    const dropped = this.unplayedMs;
    this.unplayedMs = 0;
    return dropped;
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

/** A provider that a test speaks for. */
export class SimulatedProvider implements VoiceProvider {
  readonly name = 'simulated';
  owes?: 'greeting' | 'answer';
  readonly heard: Uint8Array[] = [];
  readonly digits: string[] = [];
  readonly said: string[] = [];
  closed = 0;
  readonly #opening: Promise<void>;
  #context: VoiceContext | undefined;

  /** @param opening when the AI can hear */
  constructor(opening: Promise<void> = Promise.resolve()) {
    this.#opening = opening;
  }

  get context(): VoiceContext {
    if (!this.#context) throw new Error('nobody opened it');
    return this.#context;
  }

  async open(context: VoiceContext) {
    this.#context = context;
    await this.#opening;
    return {
      hear: (frame: Uint8Array) => {
        this.heard.push(frame);
      },
      digit: (key: string) => {
        this.digits.push(key);
      },
      toolResult: () => {},
      say: (text: string) => {
        this.said.push(text);
      },
      close: async () => {
        this.closed += 1;
      },
    };
  }
}

/** The caller's side sends so many frames, one each 20 ms, while time passes. */
export function say(
  transport: SimulatedTransport,
  time: TimeSource & { pass(ms: number): void },
  frames: Uint8Array[],
) {
  for (const frame of frames) {
    time.pass(FRAME_MS);
    transport.listener.heard(frame);
  }
}
