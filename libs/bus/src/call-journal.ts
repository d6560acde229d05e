import { setTimeout as wait } from 'node:timers/promises';
import type { CallId } from '@callfleet/identity';
import type { z } from 'zod';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { storedMessages } from './stored-messages.ts';
import { CALLS } from './streams.ts';
import { subjects } from './subjects.ts';

/** JetStream's codes for "the last message of this subject is another". */
const MOVED_ON = new Set<unknown>([10071, 10164]);
const MSG_ID = 'Nats-Msg-Id';
const APPEND_TIMEOUT_MS = 2000;
const RETRY_AFTER_MS = 250;

/**
 * The journal of one call, as one worker sees it. Each entry is appended only behind the last one that this worker knows,
 * so a worker that lost its call can't write any more.
 */
export class CallJournal<Entry> {
  /** What was in it when it was opened, oldest first. */
  readonly before: readonly Entry[];
  readonly #bus: Bus;
  readonly #subject: string;
  readonly #writer: string;
  readonly #mayAppend: () => Promise<void>;
  readonly #closed = new AbortController();
  #lastSeq: number;
  #appended = 0;
  #appending: Promise<void> = Promise.resolve();

  private constructor(
    bus: Bus,
    subject: string,
    writer: string,
    mayAppend: () => Promise<void>,
    before: readonly Entry[],
    lastSeq: number,
  ) {
    this.#bus = bus;
    this.#subject = subject;
    this.#writer = writer;
    this.#mayAppend = mayAppend;
    this.before = before;
    this.#lastSeq = lastSeq;
  }

  /**
   * @param writer unique to this owner of the call: its entries are known as repeats when they are sent again
   * @param mayAppend waited for right before each entry is sent; what it rejects with, the append rejects with
   */
  static async open<Entry>(
    bus: Bus,
    call: CallId,
    writer: string,
    schema: z.ZodType<Entry>,
    mayAppend: () => Promise<void>,
  ): Promise<CallJournal<Entry>> {
    const subject = subjects.callJournal(call);
    const before: Entry[] = [];
    let lastSeq = 0;
    for await (const { seq, data } of storedMessages(bus, subject)) {
      before.push(decodeMessage(schema, data));
      lastSeq = seq;
    }
    return new CallJournal(bus, subject, writer, mayAppend, before, lastSeq);
  }

  /**
   * Resolves when the stream has it. While NATS is away it is tried again and again, until the journal is closed.
   *
   * @throws BusError CF_JOURNAL_MOVED another worker has appended, CF_JOURNAL_CLOSED
   */
  append(entry: Entry): Promise<void> {
    const appended = this.#appending.then(() => this.#append(entry));
    this.#appending = appended.catch(() => {});
    return appended;
  }

  close(): void {
    this.#closed.abort();
  }

  async #append(entry: Entry): Promise<void> {
    this.#appended += 1;
    const msgID = `${this.#subject} ${this.#writer} ${this.#appended}`;
    const data = encodeMessage(entry);
    for (;;) {
      await this.#mayAppend();
      if (this.#closed.signal.aborted) throw new BusError('CF_JOURNAL_CLOSED', `${this.#subject} is closed`);
      const reconnected = Promise.withResolvers<undefined>();
      const forgetReconnect = this.#bus.onReconnect(() => reconnected.resolve(undefined));
      try {
        const expect = { lastSubjectSequence: this.#lastSeq };
        const sent = this.#bus.js.publish(this.#subject, data, { msgID, expect, timeout: APPEND_TIMEOUT_MS });
        // What was under way when the connection broke is lost, or its acknowledgement is: it is sent again at once.
        const kept = await Promise.race([sent, reconnected.promise]);
        if (!kept) continue;
        this.#lastSeq = kept.seq;
        return;
      } catch (cause) {
        if (MOVED_ON.has((cause as { code?: unknown }).code)) {
          const last = await this.#last().catch(() => undefined);
          if (last && last.msgID !== msgID)
            throw new BusError('CF_JOURNAL_MOVED', `another worker has written to ${this.#subject}`, { cause });
          if (last) {
            this.#lastSeq = last.seq;
            return;
          }
        }
        await wait(RETRY_AFTER_MS, undefined, { signal: this.#closed.signal }).catch(() => {});
      } finally {
        forgetReconnect();
      }
    }
  }

  /**
   * A server that was killed does not know what it stored last as a repeat when it is back (2.15.1): an entry whose acknowledgement was
   * lost is then refused because it is there already.
   */
  async #last(): Promise<{ readonly seq: number; readonly msgID: string | undefined } | undefined> {
    // Of the stream's leader: a replica may be behind.
    const last = await this.#bus.jsm.streams.getMessage(CALLS, { last_by_subj: this.#subject });
    return last ? { seq: last.seq, msgID: last.header?.get(MSG_ID) } : undefined;
  }
}
