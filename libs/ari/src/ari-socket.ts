import { WebSocket } from 'ws';
import { type AriAccount, ariAddress } from './address.ts';
import { connectTimeout } from './connect-failure.ts';
import { AriBusyError, AriClosedError, AriTooLargeError, AriUnexpectedError } from './errors.ts';
import { isKnownEvent, type UnknownAriEvent } from './event.ts';
import { readFrame, requestFrame } from './frame.ts';
import type { AriEvent } from './generated/events.gen.ts';
import { Liveness } from './liveness.ts';
import { openWebSocket, whenOpen } from './open-web-socket.ts';
import { PendingRequests } from './pending-requests.ts';
import type { AriRequest } from './request.ts';
import type { AriRequester, AriRequestOptions } from './requester.ts';
import type { AriResponse } from './response.ts';

export interface AriSocketListeners {
  /**
   * Each event, in Asterisk's order, synchronously as it is read; the first ones possibly before `connect` resolves.
   * `rawText` is the frame as it came.
   */
  readonly onEvent: (event: AriEvent | UnknownAriEvent, rawText: string) => void;
  /** Once, after the last event, for a socket that was open. */
  readonly onClose?: ((info: AriCloseInfo) => void) | undefined;
  /** A frame that is no ARI message. The socket goes on. */
  readonly onMalformed?: ((why: string, rawText: string) => void) | undefined;
  /** What one of the other listeners threw. The socket goes on. */
  readonly onListenerError?: ((error: unknown) => void) | undefined;
}

interface AriSocketLimits {
  /** Default time limit of a request, milliseconds. Default 10,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Time limit of connecting, milliseconds. Default 5000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Time limit of the close handshake, milliseconds. Default 2000. */
  readonly closeTimeoutMs?: number | undefined;
  /**
   * A ping goes out this often, milliseconds; a peer silent for a whole interval after one is given up. Default 5000: Asterisk
   * executes requests on the thread that answers pings, and a slow one (AudioSocket) blocks it for up to 2 s.
   */
  readonly pingIntervalMs?: number | undefined;
  /** Requests in flight at most. Default 256. */
  readonly maxInFlight?: number | undefined;
}

export interface AriSocketOptions extends AriAccount, AriSocketLimits, AriSocketListeners {
  /** Stasis applications to register. A newer socket with the same application takes it over. */
  readonly apps: readonly string[];
  /** Largest frame accepted from Asterisk, bytes. Default 32 MiB: `GET /channels` of a full PBX is megabytes. */
  readonly maxPayload?: number | undefined;
}

/** What both kinds of socket want to be told. */
export type AriSocketUse = AriSocketLimits & AriSocketListeners;

export interface AriCloseInfo {
  /** WebSocket close code; 1006 where there was no close handshake. */
  readonly code: number;
  readonly reason: string;
  /** `us`: close() or terminate(). `peer`: Asterisk. `silence`: it answered no ping. `failure`: see `error`. */
  readonly by: 'us' | 'peer' | 'silence' | 'failure';
  readonly error?: Error;
}

export interface AriSocketStats {
  events: number;
  /** Events, counted above too, of a type that the generated types do not know. */
  unknownEvents: number;
  malformedFrames: number;
  /** Answers that came after their request's time limit. */
  lateAnswers: number;
  listenerErrors: number;
}

/** Asterisk closes the socket (1009) at a frame above 65,535 bytes, 8 of which its header takes. Measured on 22.10.1. */
const MAX_REQUEST_BYTES = 65_527;

/** What waits to be read by a peer that does not read, bytes. Beyond it requests are refused. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;

/** An ARI WebSocket, whoever dialled: Asterisk sends the events of our Stasis applications and answers requests. */
export class AriSocket implements AriRequester {
  readonly #url: string;
  readonly #options: AriSocketUse;
  readonly #socket: WebSocket;
  readonly #pending: PendingRequests;
  readonly #stats: AriSocketStats = {
    events: 0,
    unknownEvents: 0,
    malformedFrames: 0,
    lateAnswers: 0,
    listenerErrors: 0,
  };
  readonly #closed = Promise.withResolvers<void>();
  #liveness: Liveness | undefined;
  #closedBy: AriCloseInfo['by'] = 'peer';
  #error: Error | undefined;
  #closing: Promise<void> | undefined;
  /** 1001 from a server that goes away: Asterisk keeps what happens meanwhile for the next one. */
  readonly #closeCode: 1000 | 1001;

  private constructor(socket: WebSocket, url: string, options: AriSocketUse, closeCode: 1000 | 1001 = 1000) {
    this.#url = url;
    this.#options = options;
    this.#closeCode = closeCode;
    this.#pending = new PendingRequests(url, options.maxInFlight ?? 256);
    this.#socket = socket;
    // From the first moment: a frame may come in the same read as the answer to the upgrade.
    this.#socket.on('message', (data, isBinary) => this.#read(data.toString(), isBinary));
    this.#socket.on('pong', () => this.#liveness?.heard());
    this.#socket.on('open', () => this.#watch());
    this.#socket.on('error', (error) => {
      if (this.#closedBy === 'peer') this.#closedBy = 'failure';
      this.#error = error;
    });
  }

  /**
   * @param signal gives up connecting; without effect afterwards
   * @throws AriUnreachableError, AriUnauthorizedError, AriNotFoundError, AriNotReadyError, AriTlsError, AriTimeoutError,
   *   AriUnexpectedError
   */
  static async connect(options: AriSocketOptions, signal?: AbortSignal): Promise<AriSocket> {
    signal?.throwIfAborted();
    const address = ariAddress(options);
    const socket = new AriSocket(openWebSocket(address, options), address.url, options);
    await whenOpen(socket.#socket, address.url, options.connectTimeoutMs ?? 5000, signal);
    return socket;
  }

  /**
   * Of a WebSocket that Asterisk has opened to us, paused until now. Resolves with Asterisk's first frame, an ApplicationRegistered:
   * what is sent before it may lie unread in Asterisk until something else is sent (22.10.1).
   *
   * @throws AriTimeoutError, AriClosedError
   */
  static async accept(webSocket: WebSocket, url: string, use: AriSocketUse): Promise<AriSocket> {
    const socket = new AriSocket(webSocket, url, use, 1001);
    socket.#watch();
    const first = Promise.withResolvers<void>();
    webSocket.once('message', () => first.resolve());
    webSocket.once('close', () => first.reject(new AriClosedError(`${url} closed before it said anything`, { url })));
    const timer = setTimeout(() => first.reject(connectTimeout(url)), use.connectTimeoutMs ?? 5000);
    webSocket.resume();
    try {
      await first.promise;
      return socket;
    } catch (error) {
      await socket.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get state(): 'open' | 'closing' | 'closed' {
    const { readyState } = this.#socket;
    if (readyState === WebSocket.CLOSED) return 'closed';
    return readyState === WebSocket.OPEN && this.#closing === undefined ? 'open' : 'closing';
  }

  get stats(): Readonly<AriSocketStats> {
    return this.#stats;
  }

  /** Requests that wait for their answer now. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /**
   * Asterisk executes the requests of one socket one after another. A slow one delays all behind it: send it over HTTP.
   * @throws AriTimeoutError, AriClosedError, AriBusyError, AriTooLargeError, AriUnexpectedError
   */
  request<T>(
    request: AriRequest<T>,
    { timeoutMs = this.#options.requestTimeoutMs ?? 10_000, signal }: AriRequestOptions = {},
  ): Promise<AriResponse<T>> {
    return this.#pending.start(request, { timeoutMs, signal }, (id) => {
      const url = this.#url;
      if (this.state !== 'open') throw new AriClosedError(`the event socket of ${url} is ${this.state}`, { url });
      if (this.#socket.bufferedAmount > MAX_UNREAD_BYTES) throw new AriBusyError(`${url} does not read`, { url });
      const frame = requestFrame(id, request);
      if (Buffer.byteLength(frame) > MAX_REQUEST_BYTES)
        throw new AriTooLargeError(
          `${request.method} ${request.route} is longer than ${MAX_REQUEST_BYTES} bytes: send it over HTTP`,
          { url },
        );
      this.#socket.send(frame);
    });
  }

  /**
   * Takes no more requests, waits for the answers to those in flight, closes with a handshake; terminates when all that takes
   * longer than `closeTimeoutMs`. Events are told until the end.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Drops the connection at once. */
  terminate(): void {
    if (this.state === 'open') this.#closedBy = 'us';
    this.#socket.terminate();
  }

  async #close(): Promise<void> {
    if (this.state === 'open') this.#closedBy = 'us';
    const timer = setTimeout(() => this.#socket.terminate(), this.#options.closeTimeoutMs ?? 2000);
    await this.#pending.drained();
    this.#socket.close(this.#closeCode);
    await this.#closed.promise;
    clearTimeout(timer);
  }

  /** A server that vanishes without a close frame may crash the Asterisk that dialled it. */
  #giveUp(): void {
    this.#liveness?.stop();
    if (this.#closeCode === 1000) {
      this.#socket.terminate();
      return;
    }
    this.#socket.close(this.#closeCode);
    const timer = setTimeout(() => this.#socket.terminate(), this.#options.closeTimeoutMs ?? 2000);
    void this.#closed.promise.then(() => clearTimeout(timer));
  }

  #watch(): void {
    this.#socket.on('close', (code, reason) => this.#onClose(code, reason.toString()));
    // ws would wait half a minute for the peer's part of the close handshake.
    this.#socket.on('error', () => this.#socket.terminate());
    this.#liveness = new Liveness(this.#options.pingIntervalMs ?? 5000, {
      ping: () => this.#socket.ping(),
      onSilence: () => {
        this.#closedBy = 'silence';
        this.#giveUp();
      },
    });
  }

  #read(text: string, isBinary: boolean): void {
    this.#liveness?.heard();
    const frame = isBinary ? ({ kind: 'malformed', why: 'a binary frame' } as const) : readFrame(text);
    switch (frame.kind) {
      case 'event':
        this.#stats.events++;
        if (!isKnownEvent(frame.event)) this.#stats.unknownEvents++;
        this.#tell(() => this.#options.onEvent(frame.event, text));
        break;
      case 'response':
        if (!this.#pending.settle(frame.id, frame)) this.#stats.lateAnswers++;
        break;
      case 'malformed':
        this.#stats.malformedFrames++;
        if (frame.id !== undefined) this.#pending.fail(frame.id, this.#unexpected(frame.why));
        this.#tell(() => this.#options.onMalformed?.(frame.why, text));
    }
  }

  #onClose(code: number, reason: string): void {
    const url = this.#url;
    this.#liveness?.stop();
    const details = { url, mayHaveRun: true, cause: this.#error };
    this.#pending.failAll(new AriClosedError(`the event socket of ${url} closed (${code}) before the answer`, details));
    const info = { code, reason, by: this.#closedBy };
    this.#tell(() => this.#options.onClose?.(this.#error === undefined ? info : { ...info, error: this.#error }));
    this.#closed.resolve();
  }

  #unexpected(why: string): AriUnexpectedError {
    const url = this.#url;
    return new AriUnexpectedError(`${url} sent ${why}`, { url, mayHaveRun: true });
  }

  /** A listener's mistake must not cost the events behind it. */
  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#stats.listenerErrors++;
      try {
        this.#options.onListenerError?.(error);
      } catch {
        // Counted already, and there is nobody else to tell.
      }
    }
  }
}
