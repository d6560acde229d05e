import { readFileSync } from 'node:fs';

/** The files that a configuration is made of, as they were read. A file that could not be read is remembered as such. */
export class Sources {
  readonly #texts = new Map<string, string | undefined>();

  /** @throws what the file system says */
  read(path: string): string {
    this.#texts.set(path, undefined);
    const text = readFileSync(path, 'utf8');
    this.#texts.set(path, text);
    return text;
  }

  /** What is in these files now; equal for equal contents. */
  static now(paths: Iterable<string>): string {
    const sources = new Sources();
    for (const path of paths)
      try {
        sources.read(path);
      } catch {
        // Remembered as unreadable.
      }
    return sources.fingerprint;
  }

  get paths(): string[] {
    return [...this.#texts.keys()];
  }

  get fingerprint(): string {
    return JSON.stringify([...this.#texts].map(([path, text]) => [path, text ?? null]));
  }
}
