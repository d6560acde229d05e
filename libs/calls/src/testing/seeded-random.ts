/** Numbers that look like chance and are the same each time: the nth of a seed. */
export class SeededRandom {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** From 0 up to 1. */
  at(n: number): number {
    // splitmix32
    let mixed = (this.#seed * 0x9e3779b9 + n * 0x85ebca6b) | 0;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }
}
