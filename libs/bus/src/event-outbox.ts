import { InvalidArgumentError, type MsgHdrs } from '@nats-io/transport-node';
import type { CallEvent } from './call-event.ts';
import type { Bus } from './connection.ts';
import { encodeMessage } from './message.ts';
import { subjects } from './subjects.ts';

export interface EventOutboxOptions {
  /** Publishes that may wait for JetStream's acknowledgement at once. Default 512. */
  maxInFlight?: number | undefined;
  /** Events held in memory while NATS is slow or away. Default 100,000. At the bound the newest is refused. */
  maxHeld?: number | undefined;
  /** How long to wait before NATS is tried again, milliseconds. Default 250. */
  retryAfterMs?: number | undefined;
  /** An event that could not be held, or that NATS will never take (longer than its `max_payload`): it is lost, and somebody must act. */
  onRefused: (event: CallEvent) => void;
  onRetry: (error: unknown) => void;
  /** NATS has it. */
  onPublished?: ((event: CallEvent) => void) | undefined;
}

interface Parcel {
  readonly event: CallEvent;
  readonly headers: MsgHdrs;
}

/** One attempt to publish a parcel. */
interface Sending {
  readonly parcel: Parcel;
}

/**
 * Publishes call events to the CALLS stream in order, and holds them while NATS is away.
 *
 * `publish` never waits: the reader of an ARI socket must not. A failed publish is tried again until it is acknowledged;
 * a repeat is harmless, since the event's id is JetStream's message id.
 */
export class EventOutbox {
  readonly #bus: Bus;
  readonly #maxInFlight: number;
  readonly #maxHeld: number;
  readonly #retryAfterMs: number;
  readonly #onRefused: EventOutboxOptions['onRefused'];
  readonly #onRetry: EventOutboxOptions['onRetry'];
  readonly #onPublished: EventOutboxOptions['onPublished'];
  #waiting: Parcel[] = [];
  readonly #inFlight = new Set<Sending>();
  readonly #failed: Parcel[] = [];
  #retryTimer: NodeJS.Timeout | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(bus: Bus, options: EventOutboxOptions) {
    this.#bus = bus;
    this.#maxInFlight = options.maxInFlight ?? 512;
    this.#maxHeld = options.maxHeld ?? 100_000;
    this.#retryAfterMs = options.retryAfterMs ?? 250;
    this.#onRefused = options.onRefused;
    this.#onRetry = options.onRetry;
    this.#onPublished = options.onPublished;
    bus.onReconnect(() => this.#sendAgain());
  }

  /** Events that are not acknowledged yet. */
  get held(): number {
    return this.#waiting.length + this.#inFlight.size + this.#failed.length;
  }

  publish(event: CallEvent, headers: MsgHdrs): void {
    if (this.held >= this.#maxHeld) {
      this.#onRefused(event);
      return;
    }
    this.#waiting.push({ event, headers });
    this.#pump();
  }

  /** Resolves when nothing is held. Its caller sets the time limit. */
  async flushed(): Promise<void> {
    if (this.held === 0) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  #pump(): void {
    if (this.#retryTimer) return;
    let taken = 0;
    while (taken < this.#waiting.length && this.#inFlight.size < this.#maxInFlight) {
      const parcel = this.#waiting[taken] as Parcel;
      taken += 1;
      void this.#send({ parcel });
    }
    if (taken > 0) this.#waiting = this.#waiting.slice(taken);
  }

  async #send(sending: Sending): Promise<void> {
    const { event, headers } = sending.parcel;
    this.#inFlight.add(sending);
    let failure: { error: unknown } | undefined;
    try {
      await this.#bus.js.publish(subjects.callEvents(event.call), encodeMessage(event), {
        msgID: event.id,
        headers,
        timeout: 5000,
      });
      this.#onPublished?.(event);
    } catch (error) {
      failure = { error };
    }
    // Another attempt has its place by now, on a connection made since.
    if (!this.#inFlight.delete(sending)) return;
    if (failure?.error instanceof InvalidArgumentError) this.#onRefused(sending.parcel.event);
    else if (failure) {
      this.#failed.push(sending.parcel);
      this.#onRetry(failure.error);
      this.#retryTimer ??= setTimeout(() => this.#retry(), this.#retryAfterMs);
    }
    this.#pump();
    if (this.held === 0) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }

  /** What was under way when the connection broke is lost, or its acknowledgement is: nothing is to be waited for. */
  #sendAgain(): void {
    for (const { parcel } of this.#inFlight) this.#failed.push(parcel);
    this.#inFlight.clear();
    this.#retry();
  }

  #retry(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    // Back to the front, in their first order: within one call and source, `seq` rises.
    this.#waiting = [...this.#failed.splice(0).sort((a, b) => a.event.seq - b.event.seq), ...this.#waiting];
    this.#pump();
  }
}
