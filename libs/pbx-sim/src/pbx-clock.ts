/** The PBX's time: what it writes into events, and what is due later. */
export class PbxClock {
  /** The PBX's clock is so far ahead of the machine's, milliseconds. */
  skewMs = 0;
  readonly #timers = new Set<NodeJS.Timeout>();
  #stampedAt = 0;
  #stamp = '';

  /** As Asterisk writes it: `2026-11-21T05:45:41.120+0000`. */
  stamp(): string {
    const now = Date.now() + this.skewMs;
    if (now !== this.#stampedAt) {
      this.#stampedAt = now;
      this.#stamp = new Date(now).toISOString().replace('Z', '+0000');
    }
    return this.#stamp;
  }

  /** Calls back once, unless the PBX is stopped before. @returns cancels it */
  after(ms: number, callback: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, ms);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  /** Nothing is due any more. */
  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
