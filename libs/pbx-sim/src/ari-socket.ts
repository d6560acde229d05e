import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Answer } from './answer.ts';
import type { EventSink } from './applications.ts';
import type { PbxClock } from './pbx-clock.ts';
import type { RestRequest } from './rest-routes.ts';

export interface AriSocketOptions {
  readonly socket: WebSocket;
  /** Below it: event by event costs a write each, so what comes in one turn is written at once. */
  readonly stream: Duplex | undefined;
  readonly clock: PbxClock;
  readonly answer: (request: RestRequest) => Answer | Promise<Answer>;
}

const TOO_LARGE = 1009;
/** Of Asterisk's WebSockets. */
const MOST_FRAME_BYTES = 65_535;

/** One event socket: events go out, and requests come in, which are carried out one after the other. */
export class AriSocket implements EventSink {
  readonly #options: AriSocketOptions;
  #last: Promise<void> | undefined;
  #isCorked = false;

  constructor(options: AriSocketOptions) {
    this.#options = options;
    const { socket } = options;
    socket.on('error', () => {});
    socket.on('message', (data: Buffer) => {
      if (data.length > MOST_FRAME_BYTES) socket.close(TOO_LARGE);
      else this.#take(data.toString());
    });
  }

  send(text: string): void {
    const { socket, stream } = this.#options;
    if (stream && !this.#isCorked) {
      this.#isCorked = true;
      stream.cork();
      setImmediate(() => {
        this.#isCorked = false;
        stream.uncork();
      });
    }
    socket.send(text);
  }

  /** A slow request delays all behind it: Asterisk carries them out where it reads them. */
  #take(text: string): void {
    const frame = frameIn(text);
    if (!frame) return;
    if (this.#last) {
      this.#wait(this.#last.then(() => this.#carryOut(frame)));
      return;
    }
    const pending = this.#carryOut(frame);
    if (pending) this.#wait(pending);
  }

  #wait(pending: Promise<void>): void {
    this.#last = pending;
    void pending.then(() => {
      if (this.#last === pending) this.#last = undefined;
    });
  }

  #carryOut(frame: Frame): Promise<void> | undefined {
    const answer = this.#options.answer(frame.request);
    if (answer instanceof Promise) return answer.then((late) => this.#reply(frame, late));
    this.#reply(frame, answer);
    return undefined;
  }

  #reply({ request, requestId, transactionId }: Frame, { status, reason, body }: Answer): void {
    this.send(
      JSON.stringify({
        type: 'RESTResponse',
        transaction_id: transactionId,
        request_id: requestId,
        status_code: status,
        reason_phrase: reason,
        uri: request.path,
        ...(body !== undefined && { content_type: 'application/json', message_body: JSON.stringify(body) }),
        timestamp: this.#options.clock.stamp(),
      }),
    );
  }
}

interface Frame {
  readonly request: RestRequest;
  readonly requestId: unknown;
  readonly transactionId: unknown;
}

/** Undefined for what is no request: Asterisk says nothing to it. */
function frameIn(text: string): Frame | undefined {
  try {
    const { type, request_id, transaction_id, method, uri, query_strings = [], message_body } = JSON.parse(text);
    if (type !== 'RESTRequest' || typeof method !== 'string' || typeof uri !== 'string') return undefined;
    const [path = '', inUri] = uri.split('?');
    const query = Object.fromEntries([
      ...new URLSearchParams(inUri),
      ...query_strings.map((one: { name: string; value: string }) => [one.name, String(one.value)]),
    ]);
    const body = message_body ? JSON.parse(message_body) : undefined;
    return { request: { method, path, query, body }, requestId: request_id, transactionId: transaction_id };
  } catch {
    return undefined;
  }
}
