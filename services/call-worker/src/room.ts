/** How many more calls a worker may have. */
export class Room {
  readonly #places: number;
  #taken = 0;
  #full = new AbortController();
  #freed = Promise.withResolvers<void>();

  constructor(places: number) {
    this.#places = places;
  }

  get free(): number {
    return this.#places - this.#taken;
  }

  /** Aborted when the last place is taken. */
  get full(): AbortSignal {
    return this.#full.signal;
  }

  /** Resolves when a place is free. */
  get freed(): Promise<void> {
    return this.free > 0 ? Promise.resolve() : this.#freed.promise;
  }

  /** At once, so that of two offers that come together only one gets the last place. @returns false when there is none */
  take(): boolean {
    if (this.free === 0) return false;
    this.#taken += 1;
    if (this.free === 0) this.#full.abort();
    return true;
  }

  leave(): void {
    this.#taken -= 1;
    if (this.free > 1) return;
    this.#full = new AbortController();
    this.#freed.resolve();
    this.#freed = Promise.withResolvers();
  }
}
