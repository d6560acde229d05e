import { AckPolicy, type Consumer, type JsMsg } from '@nats-io/jetstream';
import type { Context } from '@opentelemetry/api';
import type { Bus } from './connection.ts';
import { decodeMessage } from './message.ts';
import { type Offer, offerSchema } from './offer.ts';
import { OFFERS } from './streams.ts';
import { subjects } from './subjects.ts';
import { contextOf } from './trace-context.ts';

/** An offer in a worker's hands. Until it is settled it is nobody else's; left unsettled it is offered again. */
export interface OfferInHand {
  readonly offer: Offer;
  readonly trace: Context;
  /** Taken, or of no use any more: it is not offered again. */
  acknowledge(): void;
  /** Not for us now: others may have it. */
  giveBack(): void;
}

/** A worker that died with an offer in hand must not make its caller wait until the claim time-out. */
const ACK_WAIT_MS = 2000;
const PULL_EXPIRES_MS = 1_000;

/** The waiting offers of one pool; workers pull as many as they have room for: that is the back-pressure. */
export class OfferQueue {
  readonly #consumer: Consumer;
  readonly #onBadMessage: (error: unknown) => void;

  private constructor(consumer: Consumer, onBadMessage: (error: unknown) => void) {
    this.#consumer = consumer;
    this.#onBadMessage = onBadMessage;
  }

  static async open(bus: Bus, pool: string, onBadMessage: (error: unknown) => void): Promise<OfferQueue> {
    const name = subjects.offers(pool).replaceAll('.', '-');
    await bus.jsm.consumers.add(OFFERS, {
      durable_name: name,
      filter_subject: subjects.offers(pool),
      ack_policy: AckPolicy.Explicit,
      ack_wait: ACK_WAIT_MS * 1e6,
      max_ack_pending: -1,
    });
    return new OfferQueue(await bus.js.consumers.get(OFFERS, name), onBadMessage);
  }

  /** At most `room` offers as they come, for a second; `stopping` ends it at once. */
  async *pull(room: number, stopping: AbortSignal): AsyncGenerator<OfferInHand> {
    const messages = await this.#consumer.fetch({ max_messages: room, expires: PULL_EXPIRES_MS });
    const stop = () => void messages.close();
    stopping.addEventListener('abort', stop, { once: true });
    try {
      for await (const message of messages) {
        const inHand = this.#read(message);
        if (inHand) yield inHand;
      }
    } finally {
      stopping.removeEventListener('abort', stop);
    }
  }

  #read(message: JsMsg): OfferInHand | undefined {
    try {
      return {
        offer: decodeMessage(offerSchema, message.data),
        trace: contextOf(message),
        acknowledge: () => message.ack(),
        giveBack: () => message.nak(),
      };
    } catch (error) {
      // It will not become readable by waiting.
      message.term('unreadable');
      this.#onBadMessage(error);
      return undefined;
    }
  }
}
