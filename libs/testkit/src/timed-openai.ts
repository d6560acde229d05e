import { dbfsOf, formatNamed, SPEECH_DBFS, toPcm } from '@callfleet/media';
import type { WebSocket } from 'ws';
import { type AiMessage, AiServer } from './ai-server.ts';
import { monotonicMs } from './fake-traffic.ts';
import { OpenAiConnection } from './openai-server.ts';

/** When things happened in one call, at the AI; {@link monotonicMs}. */
export interface AiTurns {
  /** Before the first audio of each answer was sent. */
  readonly answeredAt: readonly number[];
  /** The first loud audio of the caller came, and it was told that he speaks. */
  readonly heard: ReadonlyArray<{ readonly voicedAt: number; readonly toldAt: number }>;
}

/** It speaks so long each time, milliseconds. */
const ANSWER_MS = 4000;

/** A local OpenAI Realtime, for G.711, that notes when it hears and speaks. A call is told by its `model`. */
export class TimedOpenAi {
  readonly #server: AiServer<TimedConnection>;

  static async start(): Promise<TimedOpenAi> {
    return new TimedOpenAi(
      await AiServer.start({
        path: '/v1/realtime',
        key: ({ headers }) => headers.authorization?.replace(/^Bearer /, ''),
        accept: (socket, server, request) => {
          const model = new URL(request.url ?? '/', 'http://localhost').searchParams.get('model') ?? '';
          return new TimedConnection(socket, server as AiServer<never>, model);
        },
      }),
    );
  }

  private constructor(server: AiServer<TimedConnection>) {
    this.#server = server;
  }

  get url(): string {
    return this.#server.url;
  }

  get key(): string {
    return this.#server.key;
  }

  /** Of each call since it was asked last, by its `model`. */
  take(): Record<string, AiTurns> {
    return Object.fromEntries(this.#server.connections.map((connection) => [connection.model, connection.take()]));
  }
}

class TimedConnection extends OpenAiConnection {
  readonly model: string;
  #answeredAt: number[] = [];
  #heard: Array<{ voicedAt: number; toldAt: number }> = [];
  #voicedAt: number | undefined;
  #answering = false;

  constructor(socket: WebSocket, server: AiServer<never>, model: string) {
    super(socket, server, model);
    this.model = model;
  }

  take(): AiTurns {
    const taken = { answeredAt: this.#answeredAt, heard: this.#heard };
    this.#answeredAt = [];
    this.#heard = [];
    return taken;
  }

  override send(message: AiMessage | Uint8Array): void {
    const type = message instanceof Uint8Array ? undefined : message.type;
    if (type === 'response.created') this.#answering = true;
    else if (type === 'response.output_audio.delta' && this.#answering) {
      this.#answering = false;
      this.#answeredAt.push(monotonicMs());
    } else if (type === 'input_audio_buffer.speech_started' && this.#voicedAt !== undefined)
      this.#heard.push({ voicedAt: this.#voicedAt, toldAt: monotonicMs() });
    else if (type === 'input_audio_buffer.speech_stopped') this.#voicedAt = undefined;
    super.send(message);
  }

  protected override hear(audio: Uint8Array): void {
    if (this.#voicedAt === undefined && dbfsOf(toPcm(formatNamed('ulaw'), audio)) >= SPEECH_DBFS)
      this.#voicedAt = monotonicMs();
    super.hear(audio);
  }

  protected override nextAnswer() {
    return { ...super.nextAnswer(), ms: ANSWER_MS };
  }
}
