import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type AudioFormat, bytesOfMs, EnergyVad, fromPcm, msOfBytes, tone, toPcm } from '@callfleet/media';
import { type WebSocket, WebSocketServer } from 'ws';

/** What a local AI says next. */
export interface AiAnswer {
  /** Its words; the sound is a tone. */
  readonly text?: string;
  /** Default 1000 ms. */
  readonly ms?: number;
  /** It asks for this instead. */
  readonly tool?: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> };
  /** Its end is not made yet: it comes when it is interrupted, or never. */
  readonly unfinished?: boolean;
  /** It fails with this code instead. */
  readonly fails?: string;
}

/** What goes wrong, for connections and answers from now on. */
export interface AiFaults {
  /** This HTTP status instead of a WebSocket: 401, 429, 503. */
  refuse?: number;
  /** Never answers who connects. */
  hang?: boolean;
  /** Accepts, and then says nothing whatever happens. */
  mute?: boolean;
  /** Hears the caller, and does not answer. */
  stall?: boolean;
  /** It says that it hears and speaks this, whatever it is asked for: in its protocol's words. */
  format?: unknown;
  /** After an interruption so many more pieces of what was being said. */
  latePieces?: number;
}

export interface AiServerOptions<Connection extends AiConnection> {
  /** Of the URL. */
  readonly path: string;
  /** What the key must stand in. */
  key(request: IncomingMessage): string | undefined | null;
  readonly protocol?: string;
  /** Answers HTTP requests that have the key, in JSON. */
  http?(url: URL, host: string): unknown;
  accept(socket: WebSocket, server: AiServer<Connection>, request: IncomingMessage): Connection;
}

/** The pitch of a local AI's voice, Hz. */
export const AI_TONE_HZ = 620;

/** Audio is sent in pieces of so much, as fast as they are taken, milliseconds. */
const PIECE_MS = 400;

/** Only the last messages of a connection are kept. */
const MAX_KEPT = 10_000;

/** A voice AI on this machine: takes connections of one vendor's protocol, and keeps what it was told. */
export class AiServer<Connection extends AiConnection = AiConnection> {
  /** The key that it takes. */
  readonly key = 'local-key';
  faults: AiFaults = {};
  /** Is told each frame of a caller's audio that the AI hears. */
  onHeard: ((pcm: Int16Array) => void) | undefined;
  /** What it says next, in this order; then it says that it has heard. */
  readonly answers: AiAnswer[] = [];
  readonly connections: Connection[] = [];
  readonly #options: AiServerOptions<Connection>;
  readonly #server: Server;
  readonly #hanging = new Set<Duplex>();

  static async start<C extends AiConnection>(options: AiServerOptions<C>): Promise<AiServer<C>> {
    const server = new AiServer(options);
    await once(server.#server.listen(0, '127.0.0.1'), 'listening');
    return server;
  }

  private constructor(options: AiServerOptions<Connection>) {
    this.#options = options;
    const { protocol } = options;
    const sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      ...(protocol !== undefined && { handleProtocols: (offered) => offered.has(protocol) && protocol }),
    });
    this.#server = createServer((request, response) => {
      if (this.faults.hang) return;
      const body = options.http?.(new URL(request.url ?? '/', 'http://localhost'), this.host);
      const status = this.faults.refuse ?? (body === undefined ? 404 : options.key(request) === this.key ? 200 : 401);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}));
    });
    this.#server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      stream.on('error', () => {});
      this.#hanging.add(stream);
      stream.once('close', () => this.#hanging.delete(stream));
      if (this.faults.hang) return;
      const status = this.#refusal(request);
      if (status !== undefined) stream.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\n\r\n`);
      else
        sockets.handleUpgrade(request, stream, head, (socket) => {
          const connection = options.accept(socket, this, request);
          this.connections.push(connection);
          connection.serve();
        });
    });
  }

  /** `127.0.0.1:40123` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Where a client is pointed to, without a query. */
  get url(): string {
    return `ws://${this.host}${this.#options.path}`;
  }

  /** The newest connection. */
  get last(): Connection {
    const last = this.connections.at(-1);
    if (!last) throw new Error('nobody has connected');
    return last;
  }

  /** Nothing goes wrong any more, and nothing special is said. */
  reset(): void {
    this.faults = {};
    this.answers.length = 0;
  }

  async stop(): Promise<void> {
    for (const connection of this.connections) connection.drop();
    for (const stream of this.#hanging) stream.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #refusal(request: IncomingMessage): number | undefined {
    if (this.faults.refuse !== undefined) return this.faults.refuse;
    const [path = ''] = (request.url ?? '').split('?');
    // Google's own client asks for one with two slashes at its beginning.
    if (path.replace(/^\/+/, '/') !== this.#options.path) return 404;
    return this.#options.key(request) === this.key ? undefined : 401;
  }
}

export type AiMessage = Readonly<Record<string, unknown>>;

/** One client of a local AI. Its vendor's way to say things is in the class that extends it. */
export abstract class AiConnection {
  /** All messages that came, but for audio. */
  readonly received: AiMessage[] = [];
  /** Why the client closed it. */
  closed: { readonly code: number } | undefined;
  protected readonly server: AiServer<never>;
  readonly #socket: WebSocket;
  #ear: CallerEar | undefined;

  constructor(socket: WebSocket, server: AiServer<never>) {
    this.#socket = socket;
    this.server = server;
    socket.on('close', (code) => {
      this.closed = { code };
    });
    socket.on('error', () => {});
  }

  /** Milliseconds of the caller's audio that came. */
  get heardMs(): number {
    return this.#ear?.heardMs ?? 0;
  }

  serve(): void {
    this.#socket.on('message', (data, isBinary) => {
      if (this.server.faults.mute) return;
      if (isBinary) this.onAudio(data as Buffer);
      else this.onMessage(JSON.parse(String(data)));
    });
    if (!this.server.faults.mute) this.onOpen();
  }

  /** Goes away: with a code as it should be, without one as when a machine is gone. */
  drop(code?: number, reason?: string): void {
    if (code === undefined) this.#socket.terminate();
    else this.#socket.close(code, reason);
  }

  /** Reads nothing any more, not even that it is closed. */
  freeze(): void {
    this.#socket.pause();
  }

  send(message: AiMessage | Uint8Array): void {
    this.#socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
  }

  protected onOpen(): void {}
  protected abstract onMessage(message: AiMessage): void;
  protected onAudio(_audio: Uint8Array): void {}
  /** @param positionMs in the audio that came */
  protected abstract onSpeechStarted(positionMs: number): void;
  protected abstract onSpeechStopped(positionMs: number): void;

  protected keep(message: AiMessage): void {
    this.received.push(message);
    if (this.received.length > MAX_KEPT) this.received.shift();
  }

  /** Listens from now on; so much silence ends what the caller says. */
  protected listen(format: AudioFormat, silenceMs: number): void {
    this.#ear = new CallerEar(format, silenceMs, (pcm) => this.server.onHeard?.(pcm));
  }

  protected hear(audio: Uint8Array): void {
    for (const { change, positionMs } of this.#ear?.hear(audio) ?? [])
      if (change === 'started') this.onSpeechStarted(positionMs);
      else this.onSpeechStopped(positionMs);
  }

  /** @param told what it was told; where that has words to say, it says them */
  protected nextAnswer(told = ''): Required<Pick<AiAnswer, 'text' | 'ms'>> & AiAnswer {
    const [, words] = /^Say exactly this to the caller: (.*)/s.exec(told) ?? [];
    return { text: words ?? 'I have heard you.', ms: 1000, ...this.server.answers.shift() };
  }
}

/** Hears when a caller speaks, however his audio was cut into messages. */
class CallerEar {
  readonly #format: AudioFormat;
  readonly #vad: EnergyVad;
  readonly #onFrame: (pcm: Int16Array) => void;
  #rest: Uint8Array = new Uint8Array(0);
  heardMs = 0;

  constructor(format: AudioFormat, silenceMs: number, onFrame: (pcm: Int16Array) => void) {
    this.#format = format;
    this.#onFrame = onFrame;
    this.#vad = new EnergyVad({ sampleRate: format.sampleRate, hangoverMs: silenceMs });
  }

  *hear(audio: Uint8Array): Iterable<{ change: 'started' | 'stopped'; positionMs: number }> {
    const all = Buffer.concat([this.#rest, audio]);
    const { frameBytes } = this.#format;
    let at = 0;
    for (; at + frameBytes <= all.length; at += frameBytes) {
      this.heardMs += msOfBytes(this.#format, frameBytes);
      const pcm = toPcm(this.#format, all.subarray(at, at + frameBytes));
      this.#onFrame(pcm);
      const change = this.#vad.hear(pcm);
      if (change === 'started') yield { change, positionMs: this.heardMs - this.#vad.onsetMs };
      else if (change) yield { change, positionMs: this.heardMs };
    }
    this.#rest = all.subarray(at);
  }
}

/** A local AI's voice in pieces as they are sent. */
export function spokenPieces(format: AudioFormat, ms: number): Uint8Array[] {
  const pcm = tone({ hz: AI_TONE_HZ, ms, sampleRate: format.sampleRate, level: 0.4 });
  const audio = fromPcm(format, pcm);
  const bytes = bytesOfMs(format, PIECE_MS);
  return Array.from({ length: Math.ceil(audio.length / bytes) }, (_, i) => audio.subarray(i * bytes, (i + 1) * bytes));
}
