import { type ApiError, JetStreamApiError } from '@nats-io/jetstream';
import { createInbox, type Msg, type MsgHdrs, type Subscription } from '@nats-io/transport-node';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';

/** Told once: nothing when JetStream has the message, else why it has not, or why that is not known. */
export type OnSettled = (failure?: { readonly error: unknown }) => void;

interface Waiting {
  readonly subject: string;
  readonly onSettled: OnSettled;
  readonly deadline: number;
}

interface Acknowledgement {
  readonly error?: ApiError;
}

const NO_RESPONDERS = 503;

/**
 * Publishes to JetStream with one inbox for all acknowledgements and one timer for all time limits. `js.publish` makes a request
 * with a timer, promises and an error for each message: a third of all that an event costs a gateway (measured).
 */
export class AcknowledgedPublisher {
  readonly #bus: Bus;
  readonly #timeoutMs: number;
  readonly #inbox: string;
  readonly #acknowledgements: Subscription;
  /** By the last token of their reply's subject; the oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(bus: Bus, timeoutMs: number) {
    this.#bus = bus;
    this.#timeoutMs = timeoutMs;
    this.#inbox = createInbox(bus.inboxPrefix);
    const callback = (error: unknown, message: Msg) => {
      if (!error) this.#onReply(message);
    };
    this.#acknowledgements = bus.nc.subscribe(`${this.#inbox}.*`, { callback });
  }

  /**
   * @param headers with `Nats-Msg-Id`, where a repeat is to be dropped
   * @param onSettled never called before this returns
   * @throws InvalidArgumentError longer than NATS takes; ClosedConnectionError
   */
  publish(subject: string, data: Uint8Array, headers: MsgHdrs, onSettled: OnSettled): void {
    this.#count += 1;
    const token = String(this.#count);
    this.#bus.nc.publish(subject, data, { reply: `${this.#inbox}.${token}`, headers });
    this.#waiting.set(token, { subject, onSettled, deadline: performance.now() + this.#timeoutMs });
    this.#timer ??= setTimeout(() => this.#sweep(), this.#timeoutMs).unref();
  }

  /** Nobody is told any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
    this.#acknowledgements.unsubscribe();
  }

  #onReply(message: Msg): void {
    const token = message.subject.slice(this.#inbox.length + 1);
    const waiting = this.#waiting.get(token);
    if (!waiting) return;
    this.#waiting.delete(token);
    const error = failureIn(message, waiting.subject);
    waiting.onSettled(error && { error });
  }

  #sweep(): void {
    const now = performance.now();
    this.#timer = undefined;
    for (const [token, { subject, onSettled, deadline }] of this.#waiting) {
      if (deadline > now) {
        this.#timer = setTimeout(() => this.#sweep(), deadline - now).unref();
        return;
      }
      this.#waiting.delete(token);
      const why = `no acknowledgement on ${subject} within ${this.#timeoutMs} ms`;
      onSettled({ error: new BusError('CF_BUS_TIMEOUT', why) });
    }
  }
}

function failureIn(message: Msg, subject: string): Error | undefined {
  if (message.headers?.code === NO_RESPONDERS) return new BusError('CF_BUS_NO_RESPONDER', `no stream takes ${subject}`);
  try {
    const { error } = message.json<Acknowledgement>();
    return error && new JetStreamApiError(error);
  } catch (cause) {
    return new BusError('CF_BUS_BAD_MESSAGE', `the acknowledgement on ${subject} is not JSON`, { cause });
  }
}
