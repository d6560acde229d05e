import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PartsError } from './errors.ts';

/** Above what any order takes, besides a measurement. */
const ANSWER_MS = 10_000;

/** A simulated part in a process of its own, so that what it costs is not the measurer's. It takes one order at a time. */
export class OrderedProcess<Order extends object, Word extends object> {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  /** What it said when it was ready. */
  readonly ready: Promise<Word>;

  /** @param main beside this file */
  constructor(main: string, args: readonly string[]) {
    this.#child = fork(fileURLToPath(new URL(main, import.meta.url)), [...args], { detached: true });
    this.#exited = once(this.#child, 'exit');
    this.ready = this.#nextWord(ANSWER_MS);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws PartsError when it has ended, or says nothing for ten seconds more than `limitMs` */
  ask(order: Order, limitMs = 0): Promise<Word> {
    // Where it can not be told, it has ended, and that is waited for too.
    this.#child.send(order, () => {});
    return this.#nextWord(ANSWER_MS + limitMs);
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
  }

  async #nextWord(limitMs: number): Promise<Word> {
    const gone = this.#exited.then(() => {
      throw new PartsError('CF_PARTS_UNAVAILABLE', 'a simulated part has ended by itself');
    });
    const said = once(this.#child, 'message', { signal: AbortSignal.timeout(limitMs) }).catch((error: unknown) => {
      const message = `a simulated part has said nothing for ${limitMs / 1000} s: this machine is too busy for it`;
      throw new PartsError('CF_PARTS_UNAVAILABLE', message, { cause: error });
    });
    const [word] = await Promise.race([said, gone]);
    return word as Word;
  }
}
