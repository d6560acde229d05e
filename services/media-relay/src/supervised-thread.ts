import { Worker } from 'node:worker_threads';
import type { RelayReply, RelayRequest } from '@callfleet/bus';
import type { Logger } from '@callfleet/telemetry';
import { RelayError } from './errors.ts';
import type { SessionEvent } from './media-session.ts';
import type { Pacing } from './pacing-watch.ts';
import type { FromThread, ThreadStart, ToThread } from './thread-protocol.ts';
import { environmentOf } from './thread-share.ts';
import type { RelayThread } from './threaded-relay.ts';

const START_LIMIT_MS = 30_000;

/** A thread that has not beaten at so many looks, a second apart, hangs, as a relay that answers nobody for so long does. */
const MAX_SILENT_LOOKS = 3;

export interface SupervisedThreadOptions {
  readonly start: ThreadStart;
  /** Of a PBX, as it is now. */
  readonly urlOf: (pbx: string) => string | undefined;
  readonly onEvent: (session: string, event: SessionEvent) => void;
  /** It has become late, or is so no more. */
  readonly onChange: () => void;
  /** Once: it died or hangs, after it was ready. */
  readonly onLost: (error: RelayError) => void;
  readonly log: Logger;
}

/**
 * One of a relay's threads, as the main thread sees it. There is no second one for it: whoever is told that it is lost ends the whole
 * process, since then calls move to another relay, which they can't do from thread to thread.
 */
export class SupervisedThread implements RelayThread {
  /** @throws what it could not be started for */
  readonly ready: Promise<void>;
  readonly #options: SupervisedThreadOptions;
  readonly #worker: Worker;
  readonly #asked = new Map<number, (reply: RelayReply) => void>();
  readonly #starting = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();
  #state: 'STARTING' | 'READY' | 'CLOSED' | 'LOST' = 'STARTING';
  #asks = 0;
  #isLate = false;
  #pacing: Pacing = { p99Ms: 0, maxMs: 0, skippedFrames: 0 };
  #silentLooks = 0;

  constructor(options: SupervisedThreadOptions) {
    this.#options = options;
    this.ready = this.#starting.promise;
    this.ready.catch(() => {});
    const { start } = options;
    this.#worker = new Worker(new URL('./relay-thread.ts', import.meta.url), {
      name: `relay-${start.thread}`,
      workerData: start,
      // A native addon that a thread is just loading when it is ended aborts the whole process.
      env: { ...environmentOf(process.env), WS_NO_BUFFER_UTIL: '1' },
    });
    this.#worker.on('message', (message: FromThread) => this.#onMessage(message));
    this.#worker.on('messageerror', (error) => this.#lose('sent what can not be read', error));
    this.#worker.on('error', (error) => this.#lose('died', error));
    this.#worker.on('exit', () => this.#lose('ended by itself'));
    const limit = setTimeout(() => this.#lose(`was not ready within ${START_LIMIT_MS} ms`), START_LIMIT_MS);
    void this.ready.catch(() => {}).finally(() => clearTimeout(limit));
  }

  get isLate(): boolean {
    return this.#isLate;
  }

  /** As it told last. */
  get pacing(): Pacing {
    return this.#pacing;
  }

  /** Its answer; a refusal when it is gone. Waits no longer than it takes to see that it hangs. */
  ask(request: RelayRequest): Promise<RelayReply> {
    if (this.#state !== 'READY') return Promise.resolve(this.#gone());
    const pbxUrl = request.op === 'open' ? this.#options.urlOf(request.pbx) : undefined;
    this.#asks += 1;
    const ask = this.#asks;
    return new Promise((resolve) => {
      this.#asked.set(ask, resolve);
      this.#post({ kind: 'ask', ask, request, pbxUrl });
    });
  }

  /** To be called each second. Looks are counted, not time: a process that was stopped for a while has not lost its threads. */
  look(): void {
    if (this.#state !== 'READY') return;
    this.#silentLooks += 1;
    if (this.#silentLooks > MAX_SILENT_LOOKS) this.#lose(`gave no sign of life for ${MAX_SILENT_LOOKS} s`);
  }

  /** Ends its sessions, and resolves when all that they told is here. It still answers. */
  async stop(): Promise<void> {
    if (this.#state !== 'READY') return;
    this.#post({ kind: 'stop' });
    await this.#stopped.promise;
  }

  async close(): Promise<void> {
    this.#end('CLOSED');
    await this.#worker.terminate();
  }

  #post(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #onMessage(message: FromThread): void {
    if (this.#state === 'CLOSED' || this.#state === 'LOST') return;
    switch (message.kind) {
      case 'ready':
        this.#state = 'READY';
        this.#starting.resolve();
        break;
      case 'reply':
        this.#asked.get(message.ask)?.(message.reply);
        this.#asked.delete(message.ask);
        break;
      case 'event':
        this.#options.onEvent(message.session, message.event);
        break;
      case 'beat':
        this.#silentLooks = 0;
        this.#pacing = message.pacing;
        if (message.isLate === this.#isLate) break;
        this.#isLate = message.isLate;
        this.#options.onChange();
        break;
      case 'stopped':
        this.#stopped.resolve();
        break;
    }
  }

  #lose(how: string, cause?: unknown): void {
    if (this.#state === 'CLOSED' || this.#state === 'LOST') return;
    const { log, onLost, start } = this.#options;
    const wasReady = this.#state === 'READY';
    this.#end('LOST');
    void this.#worker.terminate();
    const why = cause === undefined ? '' : `: ${(cause as Error).message}`;
    const error = new RelayError('CF_RELAY_THREAD_LOST', `thread ${start.thread} ${how}${why}`, { cause });
    if (!wasReady) {
      this.#starting.reject(error);
      return;
    }
    log.error({ thread: start.thread, err: error }, 'relay-thread.lost');
    onLost(error);
  }

  #end(state: 'CLOSED' | 'LOST'): void {
    this.#state = state;
    for (const answer of this.#asked.values()) answer(this.#gone());
    this.#asked.clear();
    this.#stopped.resolve();
  }

  #gone(): RelayReply {
    const message = `thread ${this.#options.start.thread} of this relay is gone, and the relay is about to stop`;
    return { ok: false, code: 'CF_RELAY_DRAINING', message };
  }
}
