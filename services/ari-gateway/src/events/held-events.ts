import type { IncomingEvent } from './channel-index.ts';

/** Beyond this they are let through: their order may suffer, none is lost. */
const MOST_HELD = 20_000;

/** Events of a socket, held until the gateway that had it before has published all of its own: callers' digits keep their order. */
export class HeldEvents {
  readonly #handle: (event: IncomingEvent) => void;
  #held: IncomingEvent[] | undefined;

  constructor(isHolding: boolean, handle: (event: IncomingEvent) => void) {
    this.#handle = handle;
    this.#held = isHolding ? [] : undefined;
  }

  take(event: IncomingEvent): void {
    if (this.#held) this.#held.push(event);
    else this.#handle(event);
    if (this.#held && this.#held.length >= MOST_HELD) this.letThrough();
  }

  peek(): readonly IncomingEvent[] {
    return [...(this.#held ?? [])];
  }

  /** @param skipped so many of the first are not told */
  letThrough(skipped = 0): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held.slice(skipped)) this.#handle(event);
  }
}
