import type { TimeSource } from '@callfleet/media';
import { WebSocket } from 'ws';
import { VoiceProviderError } from './errors.ts';

export interface AiAddress {
  readonly url: URL;
  /** The key goes here: a URL is written into logs by everybody on the way. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocol?: string;
}

export interface AiSocketOptions extends AiAddress {
  readonly provider: string;
  readonly time: TimeSource;
  readonly signal: AbortSignal;
  onMessage(data: Buffer, isBinary: boolean): void;
  /** Once; not after `close`. `code` is the one that the AI closed it with. */
  onLost(error: VoiceProviderError, code: number | undefined): void;
}

/** What it means that an AI answers with this HTTP status. */
export function codeOfStatus(status: number): VoiceProviderError['code'] {
  if (status === 429) return 'CF_PROVIDER_LIMITED';
  return status >= 500 ? 'CF_PROVIDER_FAILED' : 'CF_PROVIDER_REFUSED';
}

/** "Try again later", RFC 6455's registry. */
const TRY_AGAIN_LATER = 1013;

/** Of those that accept a connection, and close it with the reason in words. */
const LIMIT_IN_WORDS = /quota|rate.?limit|too many|concurren|exhausted|limit (is )?(reached|exceeded)/i;

/** What it means that an AI closes the connection with this code and reason. */
function codeOfClose(code: number, reason: string): VoiceProviderError['code'] {
  return code === TRY_AGAIN_LATER || LIMIT_IN_WORDS.test(reason) ? 'CF_PROVIDER_LIMITED' : 'CF_PROVIDER_LOST';
}

/** An AI that has not accepted by then is not there, milliseconds. */
const CONNECT_LIMIT_MS = 5000;
const CLOSE_LIMIT_MS = 1000;

/** A minute of speech in one message, at the most that an AI sends, in base64. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** Some 15 seconds of the caller: an AI that is so far behind does not listen any more. */
const MAX_UNSENT_BYTES = 1024 * 1024;

/** A dead connection is found out by a ping that nobody answers within so long, milliseconds. */
const PING_EVERY_MS = 10_000;

/** A WebSocket to an AI: limited in time, in what it takes and in what it keeps. */
export class AiSocket {
  readonly #options: AiSocketOptions;
  readonly #socket: WebSocket;
  /** Anything came since the last ping. */
  #alive = true;
  #closed = false;
  #cancelPing: () => void = () => {};

  /** @throws VoiceProviderError CF_PROVIDER_REFUSED, _LIMITED, _TIMEOUT, _LOST; whatever `signal` was aborted with */
  static async connect(options: AiSocketOptions): Promise<AiSocket> {
    options.signal.throwIfAborted();
    const socket = new AiSocket(options);
    await socket.#opened();
    return socket;
  }

  private constructor(options: AiSocketOptions) {
    this.#options = options;
    const { url, headers = {}, protocol } = options;
    this.#socket = new WebSocket(url, protocol === undefined ? [] : [protocol], {
      headers,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
    });
  }

  send(message: Readonly<Record<string, unknown>> | Uint8Array): void {
    if (this.#closed || this.#socket.readyState !== WebSocket.OPEN) return;
    const binary = message instanceof Uint8Array;
    // A text goes as its bytes: ws then sends it and its header in one write, for a third less.
    this.#socket.send(binary ? message : Buffer.from(JSON.stringify(message)), { binary });
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) this.#lost('CF_PROVIDER_LOST', 'does not take audio any more');
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPing();
    const socket = this.#socket;
    if (socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close(1000);
    const cancel = this.#options.time.after(CLOSE_LIMIT_MS, () => socket.terminate());
    await closed;
    cancel();
  }

  async #opened(): Promise<void> {
    const { signal, time } = this.#options;
    const socket = this.#socket;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancelLimit = time.after(CONNECT_LIMIT_MS, () =>
      reject(this.#error('CF_PROVIDER_TIMEOUT', `did not accept a connection within ${CONNECT_LIMIT_MS} ms`)),
    );
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('open', resolve);
    socket.on('error', (cause) => reject(this.#error('CF_PROVIDER_LOST', `can't be reached: ${cause.message}`, cause)));
    socket.on('unexpected-response', (request, { statusCode = 0 }) => {
      request.destroy();
      reject(this.#error(codeOfStatus(statusCode), `refused the connection with HTTP status ${statusCode}`));
    });
    // What an AI says first may come in the same packet as its acceptance.
    socket.on('message', (data, isBinary) => {
      time.doDue?.();
      this.#alive = true;
      if (!this.#closed) this.#options.onMessage(data as Buffer, isBinary);
    });
    socket.on('pong', () => {
      this.#alive = true;
    });
    try {
      await promise;
    } catch (error) {
      this.#closed = true;
      socket.terminate();
      throw error;
    } finally {
      cancelLimit();
      signal.removeEventListener('abort', onAbort);
    }
    socket.on('error', (cause) => this.#lost('CF_PROVIDER_LOST', `broke the connection: ${cause.message}`, cause));
    socket.on('close', (code, reason) => {
      const why = reason.length > 0 ? `: ${reason}` : '';
      this.#lost(codeOfClose(code, `${reason}`), `closed the connection with code ${code}${why}`, undefined, code);
    });
    this.#schedulePing();
  }

  #schedulePing(): void {
    this.#cancelPing = this.#options.time.after(PING_EVERY_MS, () => {
      if (!this.#alive) return this.#lost('CF_PROVIDER_LOST', `was not there any more for ${PING_EVERY_MS} ms`);
      this.#alive = false;
      this.#socket.ping();
      this.#schedulePing();
    });
  }

  #lost(code: VoiceProviderError['code'], what: string, cause?: unknown, closeCode?: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelPing();
    this.#socket.terminate();
    this.#options.onLost(this.#error(code, what, cause), closeCode);
  }

  #error(code: VoiceProviderError['code'], what: string, cause?: unknown): VoiceProviderError {
    const { provider, url } = this.#options;
    return new VoiceProviderError(code, provider, `${provider} at ${url.host} ${what}`, { cause });
  }
}
