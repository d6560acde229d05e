/** One thing that was done, in words. */
export interface TranscriptEntry {
  /** Since the call came in, milliseconds of simulated time. */
  readonly atMs: number;
  /** `program`, `caller`, `bot`, or the endpoint of a leg. */
  readonly by: string;
  /** `play sound:hello-world`, `presses 1`. */
  readonly what: string;
}

/** All that the program and the others did, in order. */
export class Transcript {
  readonly entries: TranscriptEntry[] = [];
  readonly #now: () => number;
  readonly #start: number;
  readonly #listeners = new Set<(line: string) => void>();

  /** @param now the simulated time, milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#start = now();
  }

  add(by: string, what: string): void {
    const entry = { atMs: this.#now() - this.#start, by, what };
    this.entries.push(entry);
    for (const listener of [...this.#listeners]) listener(wordsOf(entry));
  }

  /** Told the words of each entry from now on. @returns stops */
  onLine(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `2.100 caller presses 1` */
  get lines(): readonly string[] {
    return this.entries.map((entry) => `${(entry.atMs / 1000).toFixed(3)} ${wordsOf(entry)}`);
  }
}

/** What the program does is told without its name. */
export function wordsOf({ by, what }: TranscriptEntry): string {
  return by === 'program' ? what : `${by} ${what}`;
}

/** Whether a line is what is waited for: its beginning, up to the end of a word, or a pattern. */
export function fits(line: string, wanted: string | RegExp): boolean {
  if (typeof wanted !== 'string') return wanted.test(line);
  return line === wanted || line.startsWith(`${wanted} `) || line.startsWith(`${wanted},`);
}
