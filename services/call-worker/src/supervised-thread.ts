import { Worker } from 'node:worker_threads';
import type { CallEvent } from '@callfleet/bus';
import { type CallHost, type CallOutcome, ProgramLoadError, revivedError } from '@callfleet/calls/runtime';
import type { CallId } from '@callfleet/identity';
import type { Logger } from '@callfleet/telemetry';

import { ServedHost } from './served-host.ts';
import { type FromThread, OUT_OF_MEMORY, type RunSpec, type ThreadStart, type ToThread } from './thread-protocol.ts';
import { ThreadPulse } from './thread-pulse.ts';
import { ThreadWatch } from './thread-watch.ts';

/** Loading all programs may take this long, milliseconds. */
const LOAD_LIMIT_MS = 30_000;

/**
 * Of heap, MiB, between where a thread ends itself and where V8 ends it: there V8 may end the whole process, if memory is eaten faster
 * than the thread can be stopped (seen on Node 24). Only a program that lets its event loop have no turn gets that far.
 */
const HEADROOM_MB = 256;

/** A call's program lost the thread that it ran in. */
export class ThreadLostError extends Error {
  override readonly name = 'ThreadLostError';
  readonly code = 'CF_PROGRAM_THREAD_LOST';
  /** This call's program was the last that had control there. */
  readonly isSuspect: boolean;
  constructor(message: string, isSuspect: boolean) {
    super(message);
    this.isSuspect = isSuspect;
  }
}

/** A call's program, wherever it runs. */
export interface RunningProgram {
  deliver(event: CallEvent): void;
  abandon(why: string): void;
  /** Undefined when the call is another worker's by then. @throws ThreadLostError */
  readonly outcome: Promise<CallOutcome | undefined>;
}

export interface ThreadOptions extends Pick<ThreadStart, 'programs'> {
  readonly name: string;
  readonly stuckAfterMs: number;
  /** Of its heap, MiB. */
  readonly memoryMb: number;
  readonly onLost: () => void;
  readonly log: Logger;
}

interface Run {
  readonly call: CallId;
  readonly host: ServedHost;
  readonly outcome: PromiseWithResolvers<CallOutcome | undefined>;
}

let runNumber = 0;

/** One program thread, as the main thread sees it: gives it calls, serves what they ask, and ends it when it stands still. */
export class SupervisedThread {
  /** @throws ProgramLoadError */
  readonly ready: Promise<void>;
  readonly #options: ThreadOptions;
  readonly #log: Logger;
  readonly #worker: Worker;
  readonly #pulse = new ThreadPulse();
  readonly #watch: ThreadWatch;
  readonly #runs = new Map<number, Run>();
  readonly #loading = Promise.withResolvers<void>();
  #state: 'LOADING' | 'READY' | 'LOST' = 'LOADING';

  constructor(options: ThreadOptions) {
    const { name, programs, stuckAfterMs, memoryMb, log } = options;
    this.#options = options;
    this.#log = log.child({ thread: name });
    this.#watch = new ThreadWatch(stuckAfterMs);
    this.ready = this.#loading.promise;
    this.ready.catch(() => {});
    const workerData: ThreadStart = { programs, pulse: this.#pulse.buffer, memoryMb };
    this.#worker = new Worker(new URL('./program-thread.ts', import.meta.url), {
      name,
      workerData,
      // Programs need no WebSocket; and a native addon that a thread is just loading when it is ended aborts the whole process.
      env: { ...process.env, WS_NO_BUFFER_UTIL: '1' },
      resourceLimits: { maxOldGenerationSizeMb: memoryMb + HEADROOM_MB },
    });
    this.#worker.on('message', (message: FromThread) => this.#onMessage(message));
    this.#worker.on('error', (error) => this.#lose(`it died: ${(error as Error).message}`));
    this.#worker.on('exit', (code) =>
      this.#lose(code === OUT_OF_MEMORY ? `it has used its ${memoryMb} MiB of heap` : 'it ended by itself'),
    );
    const limit = setTimeout(
      () => this.#lose(`its programs were not loaded within ${LOAD_LIMIT_MS} ms`),
      LOAD_LIMIT_MS,
    );
    void this.ready.catch(() => {}).finally(() => clearTimeout(limit));
  }

  get isReady(): boolean {
    return this.#state === 'READY';
  }

  get calls(): number {
    return this.#runs.size;
  }

  /** Runs a call's program here. `spec` is asked at the moment that it begins. What it asks of `host` is done in the trace of whoever calls this. */
  run(spec: () => RunSpec, host: CallHost): RunningProgram {
    runNumber += 1;
    const run = runNumber;
    const outcome = Promise.withResolvers<CallOutcome | undefined>();
    if (this.isReady) {
      const { context, ...rest } = spec();
      this.#runs.set(run, { call: context.id, host: new ServedHost(host, (message) => this.#post(message)), outcome });
      this.#post({ kind: 'run', run, context, ...rest });
    } else outcome.reject(new ThreadLostError('its thread is gone', false));
    return {
      deliver: (event) => this.#post({ kind: 'event', run, event }),
      abandon: (why) => this.#post({ kind: 'abandon', run, why }),
      outcome: outcome.promise,
    };
  }

  /** Ends the thread if it stands still. @returns how late its event loop is, milliseconds */
  check(now: number): number {
    if (!this.isReady) return 0;
    if (this.#watch.check(now, this.#pulse.beats)) this.#lose(`it stood still for ${this.#options.stuckAfterMs} ms`);
    return Math.max(this.#watch.silentMs, this.#pulse.takeDelayMs());
  }

  async stop(): Promise<void> {
    this.#state = 'LOST';
    await this.#worker.terminate();
  }

  #post(message: ToThread): void {
    if (this.isReady) this.#worker.postMessage(message);
  }

  #onMessage(message: FromThread): void {
    // From the moment that it is given up nothing that it says counts: its calls go on elsewhere.
    if (this.#state === 'LOST') return;
    const running = 'run' in message && message.run !== undefined ? this.#runs.get(message.run) : undefined;
    switch (message.kind) {
      case 'ready':
        this.#state = 'READY';
        this.#loading.resolve();
        break;
      case 'unusable':
        this.#lose(message.message);
        break;
      case 'ask':
        void running?.host.ask(message);
        break;
      case 'begin':
        running?.host.begin(message);
        break;
      case 'end':
        running?.host.end(message);
        break;
      case 'over':
        this.#runs.delete(message.run);
        if (message.error) running?.outcome.reject(revivedError(message.error));
        else running?.outcome.resolve(message.outcome);
        break;
      case 'stray':
        this.#log.warn({ call: running?.call, reason: message.message }, 'program.unhandled-rejection');
        break;
    }
  }

  #lose(why: string): void {
    if (this.#state === 'LOST') return;
    const wasReady = this.isReady;
    this.#state = 'LOST';
    void this.#worker.terminate();
    if (!wasReady) {
      this.#loading.reject(new ProgramLoadError(why));
      return;
    }
    this.#log.error({ reason: why, calls: this.calls }, 'program-thread.lost');
    const lastRun = this.#pulse.lastRun;
    for (const [run, { host, outcome }] of this.#runs) {
      const error = new ThreadLostError(why, run === lastRun);
      host.cutOff(error);
      outcome.reject(error);
    }
    this.#runs.clear();
    this.#options.onLost();
  }
}
