import { Refusal } from './answer.ts';
import type { Applications, EventSource } from './applications.ts';
import type { ControlQueue } from './control-queue.ts';
import type { PbxClock } from './pbx-clock.ts';

export interface RecordingsOptions {
  readonly clock: PbxClock;
  readonly applications: Applications;
}

export interface RecordTarget {
  readonly source: EventSource;
  readonly control: ControlQueue;
}

/** Recordings by their names and lengths: nothing is written. */
export class Recordings {
  readonly #options: RecordingsOptions;
  readonly #live = new Map<string, Recording>();
  /** By name, with the format; as many as a test makes. */
  readonly stored = new Map<string, string>();

  constructor(options: RecordingsOptions) {
    this.#options = options;
  }

  /** @throws Refusal 404 */
  live(name: string): Recording {
    const recording = this.#live.get(name);
    if (!recording) throw new Refusal(404, 'Recording not found');
    return recording;
  }

  /** @param maxMs 0: no limit @throws Refusal 409 */
  record(name: string, format: string, maxMs: number, isOverwritten: boolean, target: RecordTarget): Recording {
    if (this.#live.has(name) || (this.stored.has(name) && !isOverwritten))
      throw new Refusal(409, `Recording '${name}' already exists and can not be overwritten`);
    const recording = new Recording(name, format, maxMs, target, this.#options, (isKept) => {
      this.#live.delete(name);
      if (isKept) this.stored.set(name, format);
    });
    this.#live.set(name, recording);
    target.control.occupy(recording);
    return recording;
  }
}

class Recording {
  readonly #name: string;
  readonly #format: string;
  readonly #maxMs: number;
  readonly #target: RecordTarget;
  readonly #options: RecordingsOptions;
  readonly #onOver: (isKept: boolean) => void;
  #state: 'queued' | 'recording' | 'paused' | 'done' | 'canceled' = 'queued';
  #startedAt = 0;
  #duration: number | undefined;
  #cancelTimer: (() => void) | undefined;
  #done: (() => void) | undefined;

  constructor(
    name: string,
    format: string,
    maxMs: number,
    target: RecordTarget,
    options: RecordingsOptions,
    onOver: (isKept: boolean) => void,
  ) {
    this.#name = name;
    this.#format = format;
    this.#maxMs = maxMs;
    this.#target = target;
    this.#options = options;
    this.#onOver = onOver;
  }

  start(done: () => void): void {
    this.#done = done;
    this.#state = 'recording';
    this.#startedAt = performance.now();
    this.#tell('RecordingStarted');
    if (this.#maxMs > 0) this.#cancelTimer = this.#options.clock.after(this.#maxMs, () => this.#end('done'));
  }

  abandon(): void {
    this.#done = undefined;
    this.#end('done');
  }

  stop(): void {
    this.#end('done');
  }

  /** Stops it, and keeps nothing. */
  cancel(): void {
    this.#end('canceled');
  }

  /** @throws Refusal 409 */
  pause(): void {
    this.#inSession();
    this.#state = 'paused';
  }

  /** @throws Refusal 409 */
  unpause(): void {
    this.#inSession();
    this.#state = 'recording';
  }

  toJSON() {
    return {
      name: this.#name,
      format: this.#format,
      state: this.#state,
      target_uri: this.#target.source,
      ...(this.#duration !== undefined && { duration: this.#duration }),
    };
  }

  #inSession(): void {
    if (this.#state === 'queued') throw new Refusal(409, 'Recording not in session');
  }

  #end(state: 'done' | 'canceled'): void {
    if (this.#state === 'done' || this.#state === 'canceled') return;
    this.#cancelTimer?.();
    const wasBegun = this.#state !== 'queued';
    this.#state = state;
    this.#duration = wasBegun ? Math.floor((performance.now() - this.#startedAt) / 1000) : 0;
    this.#onOver(state === 'done');
    if (wasBegun) this.#tell('RecordingFinished');
    this.#done?.();
  }

  #tell(type: string): void {
    this.#options.applications.tell(type, { recording: this }, this.#target.source);
  }
}
