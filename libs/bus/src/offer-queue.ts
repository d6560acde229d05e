import { AckPolicy, type Consumer, type ConsumerConfig, type JsMsg } from '@nats-io/jetstream';
import type { Context } from '@opentelemetry/api';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { isForwarded } from './forwarded.ts';
import { decodeMessage } from './message.ts';
import { type Offer, offerSchema } from './offer.ts';
import type { ProgramVersion } from './program-version.ts';
import { OFFERS } from './streams.ts';
import { subjects } from './subjects.ts';
import { contextOf } from './trace-context.ts';

/** An offer in a worker's hands. Until it is settled it is nobody else's; left unsettled it is offered again. */
export interface OfferInHand {
  readonly offer: Offer;
  readonly trace: Context;
  /** Taken, or of no use any more: it is not offered again. */
  acknowledge(): void;
  /** Not for us now: others may have it, {@link GIVEN_BACK_FOR_MS} later. */
  giveBack(): void;
}

/** A worker that died with an offer in hand must not make its caller wait until the claim time-out. */
const ACK_WAIT_MS = 2000;
const PULL_EXPIRES_MS = 1_000;
/** So long an offer that was given back rests, milliseconds: the one who gave it back may still be asking. */
const GIVEN_BACK_FOR_MS = 25;
/** When no worker has asked for this program version for so long, NATS forgets that anyone did. */
const TAKEOVERS_FORGOTTEN_AFTER_MS = 300_000;
const NANOS_PER_MS = 1e6;

type Wanted = Pick<ConsumerConfig, 'filter_subject' | 'inactive_threshold'> & { readonly durable_name: string };

/** Waiting offers of one pool; workers pull as many as they have room for: that is the back-pressure. */
export class OfferQueue {
  readonly #bus: Bus;
  readonly #wanted: Wanted;
  readonly #onBadMessage: (error: unknown) => void;
  #consumer: Consumer | undefined;

  private constructor(bus: Bus, wanted: Wanted, onBadMessage: (error: unknown) => void) {
    this.#bus = bus;
    this.#wanted = wanted;
    this.#onBadMessage = onBadMessage;
  }

  /** The new calls of a pool. */
  static open(bus: Bus, pool: string, onBadMessage: (error: unknown) => void): Promise<OfferQueue> {
    const wanted = { durable_name: consumerOf(pool), filter_subject: subjects.offers(pool) } as Wanted;
    return OfferQueue.#open(bus, wanted, onBadMessage);
  }

  /** The calls of a pool that lost their worker, and were begun by that program. */
  static openTakeovers(
    bus: Bus,
    pool: string,
    program: ProgramVersion,
    onBadMessage: (error: unknown) => void,
  ): Promise<OfferQueue> {
    const filter_subject = subjects.takeovers(pool, program);
    const wanted = {
      // "~" is in no subject token, so that no pool's name can make this one.
      durable_name: `${consumerOf(pool)}~${filter_subject.split('.').at(-1)}`,
      filter_subject,
      inactive_threshold: TAKEOVERS_FORGOTTEN_AFTER_MS * NANOS_PER_MS,
    };
    return OfferQueue.#open(bus, wanted, onBadMessage);
  }

  static async #open(bus: Bus, wanted: Wanted, onBadMessage: (error: unknown) => void): Promise<OfferQueue> {
    const queue = new OfferQueue(bus, wanted, onBadMessage);
    queue.#consumer = await queue.#makeConsumer();
    return queue;
  }

  /**
   * At most `room` offers as they come, for a second. Nothing ends it earlier: NATS would go on sending for a moment, and
   * what is sent to nobody is offered again only after ACK_WAIT_MS.
   */
  async *pull(room: number): AsyncGenerator<OfferInHand> {
    this.#consumer ??= await this.#makeConsumer();
    try {
      for await (const message of await this.#consumer.fetch({ max_messages: room, expires: PULL_EXPIRES_MS })) {
        const inHand = this.#read(message);
        if (inHand) yield inHand;
      }
    } catch (error) {
      // NATS may have forgotten it, when this worker was full for long: the next pull makes it anew.
      this.#consumer = undefined;
      throw error;
    }
  }

  /** Asked for by every worker, and made by the first. */
  async #makeConsumer(): Promise<Consumer> {
    await this.#bus.jsm.consumers.add(OFFERS, {
      ...this.#wanted,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ACK_WAIT_MS * NANOS_PER_MS,
      max_ack_pending: -1,
    });
    return this.#bus.js.consumers.get(OFFERS, this.#wanted.durable_name);
  }

  #read(message: JsMsg): OfferInHand | undefined {
    try {
      if (isForwarded(message.headers, 0)) throw new BusError('CF_BUS_BAD_MESSAGE', 'nobody published this offer');
      return {
        offer: decodeMessage(offerSchema, message.data),
        trace: contextOf(message),
        acknowledge: () => message.ack(),
        giveBack: () => message.nak(GIVEN_BACK_FOR_MS),
      };
    } catch (error) {
      // It will not become readable by waiting.
      message.term('unreadable');
      this.#onBadMessage(error);
      return undefined;
    }
  }
}

function consumerOf(pool: string): string {
  return subjects.offers(pool).replaceAll('.', '-');
}
