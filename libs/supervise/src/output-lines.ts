/** So many of a child's lines are kept, to be shown when it fails. */
const KEPT_LINES = 30;

/** A line longer than this is given on in pieces: a child that never ends its line must not fill our memory. */
const MAX_LINE_CHARACTERS = 65_536;

export type OutputStream = 'stdout' | 'stderr';

/** Cuts a child's output into lines and remembers the last of them. */
export class OutputLines {
  readonly #onLine: (stream: OutputStream, line: string) => void;
  readonly #begun: Record<OutputStream, string> = { stdout: '', stderr: '' };
  readonly last: string[] = [];

  constructor(onLine: (stream: OutputStream, line: string) => void) {
    this.#onLine = onLine;
  }

  add(stream: OutputStream, text: string): void {
    const lines = (this.#begun[stream] + text).split(/\r?\n/);
    const begun = lines.pop() ?? '';
    for (const line of lines) this.#give(stream, line);
    if (begun.length > MAX_LINE_CHARACTERS) {
      this.#give(stream, begun);
      this.#begun[stream] = '';
    } else this.#begun[stream] = begun;
  }

  /** Gives on what was printed last without a line end. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#begun[stream] !== '') this.#give(stream, this.#begun[stream]);
      this.#begun[stream] = '';
    }
  }

  #give(stream: OutputStream, line: string): void {
    if (line.trim() !== '') this.last.push(line);
    if (this.last.length > KEPT_LINES) this.last.shift();
    this.#onLine(stream, line);
  }
}
