/** What came in for a program (digits, events), in order, kept from the start of the call until it is read. */
export class InputQueue<T> {
  readonly #items: T[] = [];
  readonly #listeners = new Set<() => void>();
  #total = 0;

  /** How many came in the whole call. */
  get total(): number {
    return this.#total;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#total += 1;
    this.#tell();
  }

  take(): T | undefined {
    return this.#items.shift();
  }

  /** Undoes so many `take`: whoever took them was not told. */
  giveBack(items: readonly T[]): void {
    this.#items.unshift(...items);
    if (items.length > 0) this.#tell();
  }

  /** Forgets the first `count`: they were read before a takeover. */
  drop(count: number): void {
    this.#items.splice(0, count);
  }

  /** @returns stops listening */
  onInput(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
