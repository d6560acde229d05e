import { setTimeout as wait } from 'node:timers/promises';
import type { CallId } from '@callfleet/identity';
import type { Context } from '@opentelemetry/api';
import { z } from 'zod';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { type Offer, offerSchema } from './offer.ts';
import { type ProgramVersion, programVersionSchema } from './program-version.ts';
import { storedMessages } from './stored-messages.ts';
import { LIVE } from './streams.ts';
import { subjects } from './subjects.ts';
import { contextOf, traceHeaders } from './trace-context.ts';

/** What a gateway must know of a call to watch over it: enough to offer it again, and to write its record. */
export interface KeptCall {
  readonly offer: Offer;
  /** Who has it. */
  readonly worker?: string | undefined;
  /** W3C's traceparent of the last claim. */
  readonly ownerTrace?: string | undefined;
  /** All that have had it, in order. */
  readonly workers: readonly string[];
  readonly program?: ProgramVersion | undefined;
  /** The highest epoch that a worker of it has had. */
  readonly epoch: number;
  /** The trunk that each of its legs has a place of, by the leg's channel. */
  readonly trunkLegs?: Readonly<Record<string, string>> | undefined;
}

const keptCallSchema = z.object({
  offer: offerSchema,
  worker: z.string().optional(),
  ownerTrace: z.string().optional(),
  workers: z.array(z.string()),
  program: programVersionSchema.optional(),
  epoch: z.int().nonnegative(),
  trunkLegs: z.record(z.string(), z.string()).optional(),
});

const WRITE_TIMEOUT_MS = 2000;
const RETRY_AFTER_MS = 250;

/** The live calls of one shard, kept where its next gateway finds them: the last word on each, until it is removed. */
export class KeptCalls {
  readonly #bus: Bus;
  readonly #pbx: string;
  readonly #shard: string;
  readonly #onTrouble: (error: unknown) => void;
  /** Told of by then, until something is written. */
  #isTroubled = false;
  /** What is to be written next of each call; undefined: it is to be removed. */
  readonly #wanted = new Map<CallId, { readonly kept: KeptCall | undefined; readonly trace: Context | undefined }>();
  readonly #writing = new Map<CallId, Promise<void>>();
  readonly #closed = new AbortController();

  /** @param onTrouble NATS does not take what is to be kept; not told again until it has */
  constructor(bus: Bus, pbx: string, shard: string, onTrouble: (error: unknown) => void) {
    this.#bus = bus;
    this.#pbx = pbx;
    this.#shard = shard;
    this.#onTrouble = onTrouble;
  }

  /**
   * All of the shard. One that can't be read is passed over.
   *
   * @throws BusError CF_BUS_TIMEOUT, and what NATS refuses it with
   */
  async read(onBadMessage: (error: unknown) => void): Promise<{ kept: KeptCall; trace: Context }[]> {
    const calls: { kept: KeptCall; trace: Context }[] = [];
    for await (const message of storedMessages(this.#bus, subjects.liveCalls(this.#pbx, this.#shard), 1, LIVE))
      try {
        // The schema knows a call's id by its shape alone.
        calls.push({ kept: decodeMessage(keptCallSchema, message.data) as KeptCall, trace: contextOf(message) });
      } catch (error) {
        onBadMessage(error);
      }
    return calls;
  }

  /** Never waits; while NATS is away it is tried again. Of what comes meanwhile only the last is written. */
  keep(kept: KeptCall, trace: Context): void {
    this.#write(kept.offer.call, { kept, trace });
  }

  remove(call: CallId): void {
    this.#write(call, { kept: undefined, trace: undefined });
  }

  /** Resolves when all that was to be kept or removed is. Its caller sets the time limit. */
  async flushed(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  /** What is not written by then is another gateway's concern. */
  close(): void {
    this.#closed.abort();
  }

  #write(call: CallId, wanted: { kept: KeptCall | undefined; trace: Context | undefined }): void {
    this.#wanted.set(call, wanted);
    if (!this.#writing.has(call)) this.#writing.set(call, this.#writeAll(call));
  }

  async #writeAll(call: CallId): Promise<void> {
    for (let wanted = this.#wanted.get(call); wanted; wanted = this.#wanted.get(call))
      try {
        if (this.#bus.awayMs() !== undefined) throw new BusError('CF_BUS_TIMEOUT', 'NATS is away');
        await this.#writeOne(subjects.liveCall(this.#shard, call), wanted);
        this.#isTroubled = false;
        if (this.#wanted.get(call) === wanted) this.#wanted.delete(call);
      } catch (error) {
        if (this.#closed.signal.aborted) break;
        if (!this.#isTroubled) this.#onTrouble(error);
        this.#isTroubled = true;
        await wait(RETRY_AFTER_MS, undefined, { signal: this.#closed.signal }).catch(() => {});
      }
    this.#writing.delete(call);
  }

  async #writeOne(subject: string, { kept, trace }: { kept: KeptCall | undefined; trace: Context | undefined }) {
    if (!kept) await this.#bus.jsm.streams.purge(LIVE, { filter: subject });
    else
      await this.#bus.js.publish(subject, encodeMessage(kept), {
        headers: traceHeaders(trace),
        timeout: WRITE_TIMEOUT_MS,
      });
  }
}
