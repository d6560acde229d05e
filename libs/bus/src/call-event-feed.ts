import { setTimeout as wait } from 'node:timers/promises';
import type { CallId } from '@callfleet/identity';
import type { Subscription } from '@nats-io/transport-node';
import { type CallEvent, callEventSchema } from './call-event.ts';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { EventOrder } from './event-order.ts';
import { isForwarded } from './forwarded.ts';
import { decodeMessage } from './message.ts';
import { storedMessages } from './stored-messages.ts';
import { subjects } from './subjects.ts';

export interface CallEventFeedOptions {
  readonly onEvent: (event: CallEvent) => void;
  /** A message on the call's subject that is no call event: counted and logged by the caller, never fatal. */
  readonly onBadMessage: (error: unknown) => void;
  /**
   * An event whose number is too high waits this long for those before it, milliseconds. Default 6000: longer than its source
   * waits for JetStream before it publishes again.
   */
  readonly gapMs?: number;
}

const RETRY_AFTER_MS = 250;
const GAP_MS = 6000;
/**
 * JetStream gives a message to those who are subscribed before it stores it, after a restart with a backlog up to a second before (seen with 2.15.1): who subscribes in
 * between, and reads the stream at once, has it neither live nor stored. So the stream is read again, so long after it was; milliseconds.
 */
const READ_AGAIN_MS = { afterOpening: [2000], afterReconnecting: [500, 2000, 8000] };

/**
 * A call's events from its start, each once, those of one source in order: live ones as they come, and from the stream those from before, those that a gap
 * in a source's numbers shows to be missing, and those that may have come while NATS was away.
 */
export class CallEventFeed {
  readonly #bus: Bus;
  readonly #subject: string;
  readonly #options: CallEventFeedOptions;
  readonly #seen = new Set<string>();
  readonly #order: EventOrder;
  #gapTimer: NodeJS.Timeout | undefined;
  #readAgainTimer: NodeJS.Timeout | undefined;
  readonly #closed = new AbortController();
  readonly #live: Subscription;
  readonly #forgetReconnects: () => void;
  /** Live events that came while the stream is read: told after what the stream has. */
  #held: CallEvent[] = [];
  #readTo = 0;
  #reading: Promise<void> | undefined;

  private constructor(bus: Bus, call: CallId, options: CallEventFeedOptions) {
    this.#bus = bus;
    this.#subject = subjects.callEvents(call);
    this.#options = options;
    this.#order = new EventOrder(options.onEvent);
    this.#live = bus.nc.subscribe(this.#subject, {
      callback: (error, message) => {
        if (error) return;
        if (isForwarded(message.headers, 0))
          return options.onBadMessage(new BusError('CF_BUS_BAD_MESSAGE', `nobody published this on ${this.#subject}`));
        const event = this.#decode(message.data);
        if (event) this.#onLive(event);
      },
    });
    this.#forgetReconnects = bus.onReconnect(() => void this.#catchUpWithAll(READ_AGAIN_MS.afterReconnecting));
  }

  /** Subscribes first and reads the stream second, so that nothing falls between. */
  static async open(bus: Bus, call: CallId, options: CallEventFeedOptions): Promise<CallEventFeed> {
    const feed = new CallEventFeed(bus, call, options);
    await feed.#catchUpWithAll(READ_AGAIN_MS.afterOpening);
    return feed;
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#gapTimer);
    clearTimeout(this.#readAgainTimer);
    this.#forgetReconnects();
    this.#live.unsubscribe();
  }

  #onLive(event: CallEvent): void {
    if (this.#reading) {
      this.#held.push(event);
    } else if (!this.#order.isDue(event)) {
      this.#held.push(event);
      void this.#catchUp();
    } else this.#deliver(event);
  }

  #deliver(event: CallEvent): void {
    if (this.#closed.signal.aborted || this.#seen.has(event.id)) return;
    this.#seen.add(event.id);
    this.#order.take(event);
    if (!this.#order.isWaiting) {
      clearTimeout(this.#gapTimer);
      this.#gapTimer = undefined;
    } else this.#gapTimer ??= setTimeout(() => this.#giveUpWaiting(), this.#options.gapMs ?? GAP_MS);
  }

  #giveUpWaiting(): void {
    this.#gapTimer = undefined;
    this.#order.giveUpWaiting();
  }

  /** After a new subscription. @returns when what is stored by now has been read */
  async #catchUpWithAll([againMs, ...laterMs]: readonly number[]): Promise<void> {
    clearTimeout(this.#readAgainTimer);
    await this.#catchUp();
    if (againMs === undefined || this.#closed.signal.aborted) return;
    clearTimeout(this.#readAgainTimer);
    this.#readAgainTimer = setTimeout(() => void this.#catchUpWithAll(laterMs), againMs);
  }

  #catchUp(): Promise<void> {
    this.#reading ??= this.#readStream().finally(() => {
      this.#reading = undefined;
      for (const event of this.#held.splice(0)) this.#deliver(event);
    });
    return this.#reading;
  }

  /** Again and again while NATS can't be read, until the feed is closed. */
  async #readStream(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      try {
        for await (const { seq, data } of storedMessages(this.#bus, this.#subject, this.#readTo + 1)) {
          this.#readTo = seq;
          const event = this.#decode(data);
          if (event) this.#deliver(event);
        }
        return;
      } catch {
        await wait(RETRY_AFTER_MS, undefined, { signal: this.#closed.signal }).catch(() => {});
      }
    }
  }

  #decode(data: Uint8Array): CallEvent | undefined {
    try {
      return decodeMessage(callEventSchema, data);
    } catch (error) {
      this.#options.onBadMessage(error);
      return undefined;
    }
  }
}
