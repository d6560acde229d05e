import { setTimeout as wait } from 'node:timers/promises';
import type { CallHost } from '@callfleet/calls/runtime';
import type { Logger } from '@callfleet/telemetry';
import type { VersionedProgram } from './program-loader.ts';
import { type RunningProgram, SupervisedThread } from './supervised-thread.ts';
import type { RunSpec } from './thread-protocol.ts';
import { CHECK_EVERY_MS } from './thread-watch.ts';

/** Suspects that have a thread of their own at once: each costs memory, and the work of loading all programs. */
const MAX_QUARANTINE = 8;
/** A call waits this long for a thread when there is none, milliseconds. */
const THREAD_LIMIT_MS = 10_000;
const RELOAD_AFTER_MS = 1000;

/** There is no thread for a call's program. */
export class NoProgramThreadError extends Error {
  override readonly name = 'NoProgramThreadError';
  readonly code = 'CF_NO_PROGRAM_THREAD';
}

export interface ProgramThreadsOptions {
  readonly programs: readonly VersionedProgram[];
  readonly count: number;
  /** A thread that gives no sign of life for this long is replaced, milliseconds. */
  readonly stuckAfterMs: number;
  /** Of each thread's heap, MiB. */
  readonly memoryMb: number;
  /** Told ten times a second how late the event loops are, this thread's own included, milliseconds. */
  readonly onDelay: (delayMs: number) => void;
  readonly log: Logger;
}

/** Where call programs run. */
export interface ProgramPlaces {
  /** Runs a call's program beside others. `spec` is asked when it begins. @throws NoProgramThreadError none was there in time */
  run(spec: () => RunSpec, host: CallHost): Promise<RunningProgram>;
  /** Runs a suspect's program by itself. @throws NoProgramThreadError there are too many suspects */
  runAlone(spec: () => RunSpec, host: CallHost): Promise<RunningProgram>;
}

/** The threads that run call programs: a few that share the calls, and one for each suspect. */
export class ProgramThreads implements ProgramPlaces {
  readonly #options: ProgramThreadsOptions;
  readonly #shared = new Set<SupervisedThread>();
  readonly #quarantine = new Set<SupervisedThread>();
  readonly #stopped = new AbortController();
  readonly #checking: NodeJS.Timeout;
  #checkedAt = performance.now();
  #started = 0;

  private constructor(options: ProgramThreadsOptions) {
    this.#options = options;
    this.#checking = setInterval(() => this.#check(performance.now()), CHECK_EVERY_MS);
  }

  /** Resolves when every thread has loaded every program. @throws ProgramLoadError */
  static async start(options: ProgramThreadsOptions): Promise<ProgramThreads> {
    const threads = new ProgramThreads(options);
    try {
      await Promise.all(Array.from({ length: options.count }, () => threads.#addShared().ready));
      return threads;
    } catch (error) {
      await threads.stop();
      throw error;
    }
  }

  /** In the emptiest thread. */
  async run(spec: () => RunSpec, host: CallHost): Promise<RunningProgram> {
    const limit = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(THREAD_LIMIT_MS)]);
    for (;;) {
      const [emptiest] = [...this.#shared].filter((thread) => thread.isReady).sort((a, b) => a.calls - b.calls);
      if (emptiest) return emptiest.run(spec, host);
      if (limit.aborted) throw new NoProgramThreadError('no program thread is ready');
      await wait(CHECK_EVERY_MS);
    }
  }

  /** In a thread of its own. */
  async runAlone(spec: () => RunSpec, host: CallHost): Promise<RunningProgram> {
    if (this.#quarantine.size >= MAX_QUARANTINE)
      throw new NoProgramThreadError(`${MAX_QUARANTINE} suspects have a thread of their own already`);
    const thread = this.#newThread('quarantine', () => this.#quarantine.delete(thread));
    this.#quarantine.add(thread);
    const end = () => {
      this.#quarantine.delete(thread);
      void thread.stop();
    };
    try {
      await thread.ready;
    } catch (cause) {
      end();
      throw new NoProgramThreadError('no thread could be started', { cause });
    }
    const running = thread.run(spec, host);
    void running.outcome.catch(() => {}).finally(end);
    return running;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    clearInterval(this.#checking);
    await Promise.all([...this.#shared, ...this.#quarantine].map((thread) => thread.stop()));
  }

  #addShared(): SupervisedThread {
    const thread = this.#newThread('shared', () => {
      this.#shared.delete(thread);
      void this.#replace();
    });
    this.#shared.add(thread);
    return thread;
  }

  /** Again and again: the programs' files may be out of reach for a moment. */
  async #replace(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const thread = this.#addShared();
      try {
        return await thread.ready;
      } catch (error) {
        this.#shared.delete(thread);
        if (!this.#stopped.signal.aborted) this.#options.log.error({ err: error }, 'program-thread.not-replaced');
        await wait(RELOAD_AFTER_MS, undefined, { signal: this.#stopped.signal }).catch(() => {});
      }
    }
  }

  #newThread(kind: 'shared' | 'quarantine', onLost: () => void): SupervisedThread {
    this.#started += 1;
    return new SupervisedThread({ ...this.#options, name: `${kind}-${this.#started}`, onLost });
  }

  #check(now: number): void {
    const own = now - this.#checkedAt - CHECK_EVERY_MS;
    this.#checkedAt = now;
    const shared = [...this.#shared].map((thread) => thread.check(now));
    // A suspect that stands still hinders nobody.
    for (const thread of [...this.#quarantine]) thread.check(now);
    this.#options.onDelay(Math.max(own, ...shared));
  }
}
