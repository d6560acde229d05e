/** An AI that invents a new name each time must not fill our memory, nor the call record. */
const NAMES_KEPT = 50;

/** What a provider says it has used, summed up by its own names. */
export class UsageSum {
  readonly #sums = new Map<string, number>();

  add(usage: Readonly<Record<string, number>>): void {
    for (const [name, amount] of Object.entries(usage)) {
      const known = this.#sums.get(name);
      // JSON has no NaN and no Infinity: one of them would make the whole record unreadable.
      if (!Number.isFinite(amount) || (known === undefined && this.#sums.size === NAMES_KEPT)) continue;
      this.#sums.set(name, (known ?? 0) + amount);
    }
  }

  get total(): Record<string, number> {
    return Object.fromEntries(this.#sums);
  }
}
