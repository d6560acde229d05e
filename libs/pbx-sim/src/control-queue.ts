import { Refusal } from './answer.ts';

/** Something that takes a while: what comes after it waits until `done` is called. */
export interface Occupation {
  start(done: () => void): void;
  /** The channel is gone, before it began or in its midst. */
  abandon(): void;
}

/**
 * What is done to a channel in Stasis, one thing after the other, as Asterisk's control queue does it: while a sound plays or a
 * recording runs, commands wait for its end, and their requests with them.
 */
export class ControlQueue {
  readonly #waiting: Occupation[] = [];
  #current: Occupation | undefined;
  #isClosed = false;

  /** Carries something out now, or when its turn comes. @throws Refusal the channel went before that */
  run<T>(work: () => T): T | Promise<T> {
    if (!this.#current && !this.#isClosed) return work();
    if (this.#isClosed) throw gone();
    const result = Promise.withResolvers<T>();
    this.occupy({
      start(done) {
        try {
          result.resolve(work());
        } catch (error) {
          result.reject(error);
        }
        done();
      },
      abandon: () => result.reject(gone()),
    });
    return result.promise;
  }

  occupy(occupation: Occupation): void {
    if (this.#isClosed) occupation.abandon();
    else if (this.#current) this.#waiting.push(occupation);
    else this.#start(occupation);
  }

  /** Nothing is carried out any more; what waits, and what runs, is abandoned in its order. */
  close(): void {
    this.#isClosed = true;
    const current = this.#current;
    this.#current = undefined;
    current?.abandon();
    for (const waiting of this.#waiting.splice(0)) waiting.abandon();
  }

  #start(occupation: Occupation): void {
    this.#current = occupation;
    occupation.start(() => {
      if (this.#current !== occupation) return;
      this.#current = undefined;
      const next = this.#waiting.shift();
      if (next) this.#start(next);
    });
  }
}

function gone(): Refusal {
  return new Refusal(404, 'Channel not found');
}
