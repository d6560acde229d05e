/** Nobody waits for more to be said. */
const MAX_WAITING = 20;

/** What an AI is to say when it has finished what it says. What is too much is not said. */
export class WaitingWords {
  #texts: string[] = [];

  add(text: string): void {
    if (this.#texts.length < MAX_WAITING) this.#texts.push(text);
  }

  next(): string | undefined {
    return this.#texts.shift();
  }

  /** It came too early. */
  putBack(text: string): void {
    this.#texts.unshift(text);
  }

  clear(): void {
    this.#texts = [];
  }
}

/** In the words that AIs follow best. */
export function toldToSay(text: string): string {
  return `Say exactly this to the caller: ${text}`;
}
