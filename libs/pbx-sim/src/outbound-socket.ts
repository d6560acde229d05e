import { WebSocket } from 'ws';
import type { Answer } from './answer.ts';
import type { Applications, EventSink } from './applications.ts';
import { AriSocket } from './ari-socket.ts';
import type { PbxClock } from './pbx-clock.ts';
import type { RestRequest } from './rest-routes.ts';

export interface OutboundSocketOptions {
  readonly url: string;
  readonly applications: readonly string[];
  readonly username: string;
  readonly password: string;
  readonly reconnectMs: number;
}

export interface OutboundSocketParts {
  readonly clock: PbxClock;
  readonly applications: Applications;
  readonly answer: (request: RestRequest) => Answer | Promise<Answer>;
  readonly entityId: string;
}

const HANDSHAKE_LIMIT_MS = 5000;
/** Asterisk has no bound, and callers wait in silence: here what comes beyond it is lost. */
const MOST_WAITING = 100_000;

/**
 * An outbound ARI WebSocket, as res_websocket_client has it: dials a gateway, for ever. Its applications stay registered while the
 * socket is down; events wait, and are sent when it is back.
 */
export class OutboundSocket implements EventSink {
  readonly #options: OutboundSocketOptions;
  readonly #parts: OutboundSocketParts;
  readonly #waiting: string[] = [];
  #webSocket: WebSocket | undefined;
  #socket: AriSocket | undefined;
  #isStopped = false;

  constructor(options: OutboundSocketOptions, parts: OutboundSocketParts) {
    this.#options = options;
    this.#parts = parts;
    for (const name of options.applications) parts.applications.connect(name, this, false);
    this.#dial();
  }

  send(text: string): void {
    if (this.#socket) this.#socket.send(text);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(text);
  }

  drop(): void {
    this.#webSocket?.terminate();
  }

  stop(): void {
    this.#isStopped = true;
    this.drop();
    for (const name of this.#options.applications) this.#parts.applications.disconnect(name, this);
  }

  #dial(): void {
    if (this.#isStopped) return;
    const { url, username, password, reconnectMs } = this.#options;
    const { answer, clock } = this.#parts;
    const webSocket = new WebSocket(url, 'ari', {
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
      handshakeTimeout: HANDSHAKE_LIMIT_MS,
      perMessageDeflate: false,
    });
    this.#webSocket = webSocket;
    webSocket.on('error', () => {});
    webSocket.on('open', () => {
      this.#socket = new AriSocket({ socket: webSocket, stream: undefined, clock, answer });
      for (const application of this.#options.applications) this.#tellRegistered(application);
      for (const text of this.#waiting.splice(0)) this.send(text);
    });
    webSocket.on('close', () => {
      this.#socket = undefined;
      if (!this.#isStopped) clock.after(reconnectMs, () => this.#dial());
    });
  }

  #tellRegistered(application: string): void {
    const { clock, entityId } = this.#parts;
    this.send(
      JSON.stringify({ type: 'ApplicationRegistered', timestamp: clock.stamp(), asterisk_id: entityId, application }),
    );
  }
}
