import { InvalidArgumentError } from '@nats-io/transport-node';
import { AcknowledgedPublisher } from './acknowledged-publisher.ts';
import { type CallEvent, callEventText } from './call-event.ts';
import type { Bus } from './connection.ts';
import { EventHeaders, type HeaderFields } from './event-headers.ts';
import type { SpillQueue } from './spill-queue.ts';
import { readSpilledLine, spilledLine } from './spilled-event.ts';
import { subjects } from './subjects.ts';

/** What is kept of an event beside its text. */
type EventHead = Pick<CallEvent, 'id' | 'call' | 'seq' | 'type'>;

export interface EventOutboxOptions {
  /** Publishes that may wait for JetStream's acknowledgement at once. Default 512. */
  maxInFlight?: number | undefined;
  /** Events held in memory while NATS is slow or away. Default 100,000. */
  maxHeld?: number | undefined;
  /** Holds those for which memory has no room. Without it, or when it is full, the newest is refused. */
  spill?: SpillQueue | undefined;
  /** How long to wait before NATS is tried again, milliseconds. Default 250. */
  retryAfterMs?: number | undefined;
  /** An event that could not be held, or that NATS will never take (longer than its `max_payload`): it is lost, and somebody must act. */
  onRefused: (event: EventHead) => void;
  /** Why some have to be published again. */
  onRetry: (error: unknown) => void;
  /** A line of the spill is no event: it is lost. */
  onUnreadable?: ((error: unknown) => void) | undefined;
  /** NATS has it. */
  onPublished?: ((event: EventHead) => void) | undefined;
}

interface Parcel {
  readonly event: EventHead;
  /** The event as its message. */
  readonly text: string;
  readonly fields: HeaderFields;
  /** It came from the spill, which keeps it until it is published. */
  readonly settle?: (() => void) | undefined;
}

const ACKNOWLEDGED_WITHIN_MS = 5000;

/** Parcels that were sent are cleared out of the queue so many at a time: each by itself would copy all that wait behind it. */
const CLEAR_OUT = 1000;

/** One attempt to publish a parcel. */
interface Sending {
  readonly parcel: Parcel;
}

/**
 * Publishes call events to the CALLS stream in order, and holds them while NATS is away: in memory, then on disk. As long as
 * any are on disk, new ones go there too, behind them.
 *
 * `publish` never waits: the reader of an ARI socket must not. A failed publish is tried again until it is acknowledged;
 * a repeat is harmless, since the event's id is JetStream's message id.
 */
export class EventOutbox {
  readonly #publisher: AcknowledgedPublisher;
  readonly #headers = new EventHeaders();
  readonly #maxInFlight: number;
  readonly #maxHeld: number;
  readonly #retryAfterMs: number;
  readonly #spill: SpillQueue | undefined;
  readonly #onRefused: EventOutboxOptions['onRefused'];
  readonly #onRetry: EventOutboxOptions['onRetry'];
  readonly #onUnreadable: EventOutboxOptions['onUnreadable'];
  readonly #onPublished: EventOutboxOptions['onPublished'];
  readonly #forgetReconnects: () => void;
  #waiting: Parcel[] = [];
  /** How many at the front of them have been sent. */
  #sent = 0;
  readonly #inFlight = new Set<Sending>();
  readonly #failed: Parcel[] = [];
  /** Events are on their way from disk to memory. */
  #refilling = false;
  #closed = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(bus: Bus, options: EventOutboxOptions) {
    this.#publisher = new AcknowledgedPublisher(bus, ACKNOWLEDGED_WITHIN_MS);
    this.#maxInFlight = options.maxInFlight ?? 512;
    this.#maxHeld = options.maxHeld ?? 100_000;
    this.#retryAfterMs = options.retryAfterMs ?? 250;
    this.#spill = options.spill;
    this.#onRefused = options.onRefused;
    this.#onRetry = options.onRetry;
    this.#onUnreadable = options.onUnreadable;
    this.#onPublished = options.onPublished;
    this.#forgetReconnects = bus.onReconnect(() => this.#sendAgain());
    void this.#refill();
  }

  /** Events that are not acknowledged yet, in memory and on disk. */
  get held(): number {
    return this.#inMemory + (this.#spill?.length ?? 0);
  }

  /**
   * @param fields headers of its message
   * @param dataText the event's `data` as JSON, where it is at hand
   */
  publish(event: CallEvent, fields: HeaderFields = [], dataText?: string): void {
    const { id, call, seq, type } = event;
    const parcel = { event: { id, call, seq, type }, text: callEventText(event, dataText), fields };
    const isSpilling = this.#refilling || (this.#spill?.length ?? 0) > 0;
    if (!isSpilling && !this.#closed && this.#inMemory < this.#maxHeld) {
      this.#waiting.push(parcel);
      this.#pump();
    } else if (!this.#spill?.push(spilledLine(parcel.text, fields))) this.#onRefused(event);
  }

  /** Resolves when nothing is held. Its caller sets the time limit. */
  async flushed(): Promise<void> {
    if (this.#isIdle) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  /**
   * Publishes no more. What is held goes to disk, for whoever comes after us.
   *
   * @returns how many events are lost: there is no spill, or it had no room
   */
  async close(): Promise<number> {
    this.#closed = true;
    this.#forgetReconnects();
    this.#publisher.close();
    clearTimeout(this.#retryTimer);
    this.#clearOut();
    const inFlight = [...this.#inFlight].map(({ parcel }) => parcel);
    const held = [...bySeq([...this.#failed, ...inFlight]), ...this.#waiting].filter(({ settle }) => !settle);
    if (!this.#spill) return held.length;
    return this.#spill.close(held.map(({ text, fields }) => spilledLine(text, fields)));
  }

  get #inMemory(): number {
    return this.#waiting.length - this.#sent + this.#inFlight.size + this.#failed.length;
  }

  get #isIdle(): boolean {
    return this.held === 0 && !this.#refilling;
  }

  #pump(): void {
    if (this.#retryTimer || this.#closed) return;
    while (this.#sent < this.#waiting.length && this.#inFlight.size < this.#maxInFlight) {
      const parcel = this.#waiting[this.#sent] as Parcel;
      this.#sent += 1;
      this.#send({ parcel });
    }
    if (this.#sent >= CLEAR_OUT || this.#sent === this.#waiting.length) this.#clearOut();
    void this.#refill();
  }

  #clearOut(): void {
    this.#waiting = this.#waiting.slice(this.#sent);
    this.#sent = 0;
  }

  /** From disk to memory, when half of it is free. */
  async #refill(): Promise<void> {
    const spill = this.#spill;
    if (!spill || this.#refilling || spill.length === 0 || this.#inMemory > this.#maxHeld / 2) return;
    this.#refilling = true;
    for (const { text, settle } of await spill.take(this.#maxHeld - this.#inMemory)) {
      try {
        const { event, fields } = readSpilledLine(text);
        this.#waiting.push({ event, text: callEventText(event), fields, settle });
      } catch (error) {
        settle?.();
        this.#onUnreadable?.(error);
      }
    }
    this.#refilling = false;
    this.#pump();
    this.#tellIfIdle();
  }

  #tellIfIdle(): void {
    if (!this.#isIdle) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #send(sending: Sending): void {
    const { event, text, fields } = sending.parcel;
    const headers = this.#headers.of(event.id, fields);
    this.#inFlight.add(sending);
    try {
      this.#publisher.publish(subjects.callEvents(event.call), Buffer.from(text), headers, (failure) =>
        this.#onSettled(sending, failure),
      );
    } catch (error) {
      // Not within the pump, which is sending.
      queueMicrotask(() => this.#onSettled(sending, { error }));
    }
  }

  #onSettled(sending: Sending, failure?: { readonly error: unknown }): void {
    if (!failure) this.#onPublished?.(sending.parcel.event);
    // Another attempt has its place by now, on a connection made since.
    if (!this.#inFlight.delete(sending)) return;
    if (failure?.error instanceof InvalidArgumentError) this.#onRefused(sending.parcel.event);
    else if (failure) {
      this.#failed.push(sending.parcel);
      if (!this.#closed && !this.#retryTimer) {
        this.#onRetry(failure.error);
        this.#retryTimer = setTimeout(() => this.#retry(), this.#retryAfterMs);
      }
    } else sending.parcel.settle?.();
    this.#pump();
    this.#tellIfIdle();
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
    // Back to the front.
    this.#clearOut();
    this.#waiting = [...bySeq(this.#failed.splice(0)), ...this.#waiting];
    this.#pump();
  }
}

/** In their first order: within one call and source, `seq` rises. */
function bySeq(parcels: readonly Parcel[]): Parcel[] {
  return parcels.toSorted((a, b) => a.event.seq - b.event.seq);
}
