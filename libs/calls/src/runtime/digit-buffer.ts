/** Digits in the order in which they were pressed, kept from the start of the call until they are read. */
export class DigitBuffer {
  readonly #digits: string[] = [];
  readonly #listeners = new Set<() => void>();
  #pressed = 0;

  /** How many were pressed in the whole call. */
  get pressed(): number {
    return this.#pressed;
  }

  get isEmpty(): boolean {
    return this.#digits.length === 0;
  }

  press(digit: string): void {
    this.#digits.push(digit);
    this.#pressed += 1;
    for (const listener of [...this.#listeners]) listener();
  }

  take(): string | undefined {
    return this.#digits.shift();
  }

  /** Forgets the first `count`: they were read before a takeover. */
  drop(count: number): void {
    this.#digits.splice(0, count);
  }

  /** @returns stops listening */
  onPress(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
