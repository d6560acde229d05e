import { type FileHandle, open, unlink } from 'node:fs/promises';

const NEWLINE = 0x0a;
const CHUNK_BYTES = 256 * 1024;

/**
 * One file of lines: written at its end, read from its front.
 *
 * It stays open until it is removed, so that whoever tidies a temp folder up takes nothing from us. Nothing is fsynced: what is
 * written outlives the process in the kernel's cache, and with the machine the memory of the gateway would be lost as well.
 */
export class SpillSegment {
  readonly path: string;
  readonly #file: FileHandle;
  #size = 0;
  #readTo = 0;
  #unread = 0;
  #unsettled = 0;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<SpillSegment> {
    return new SpillSegment(path, await open(path, 'wx+', 0o600));
  }

  /**
   * Opens what another process has left, to be read only.
   *
   * @param onTorn told how many bytes follow the last whole line: it died while it wrote them
   */
  static async reopen(path: string, onTorn: (bytes: number) => void): Promise<SpillSegment> {
    const segment = new SpillSegment(path, await open(path, 'r'));
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let end = 0;
    for (;;) {
      const { bytesRead } = await segment.#file.read(chunk, 0, CHUNK_BYTES, end);
      if (bytesRead === 0) break;
      const read = chunk.subarray(0, bytesRead);
      for (let at = read.indexOf(NEWLINE); at >= 0; at = read.indexOf(NEWLINE, at + 1)) {
        segment.#unread += 1;
        segment.#size = end + at + 1;
      }
      end += bytesRead;
    }
    if (end > segment.#size) onTorn(end - segment.#size);
    return segment;
  }

  /** Bytes of whole lines, those that have been read among them. */
  get size(): number {
    return this.#size;
  }

  /** Lines that nobody has read. */
  get unread(): number {
    return this.#unread;
  }

  /** All has been read and settled: it is of no use any more. */
  get isSpent(): boolean {
    return this.#unread === 0 && this.#unsettled === 0;
  }

  /** Adds all of these lines, or none: what a failed attempt has written is written over by the next. */
  async append(text: Uint8Array, lines: number): Promise<void> {
    let done = 0;
    while (done < text.length) {
      const { bytesWritten } = await this.#file.write(text, done, text.length - done, this.#size + done);
      done += bytesWritten;
    }
    this.#size += text.length;
    this.#unread += lines;
  }

  /** The next lines, at most `max`, at least one where there is any. */
  async read(max: number): Promise<string[]> {
    let length = CHUNK_BYTES;
    for (;;) {
      const text = await this.#bytesAt(this.#readTo, Math.min(length, this.#size - this.#readTo));
      const lines: string[] = [];
      let from = 0;
      for (let to = text.indexOf(NEWLINE); to >= 0 && lines.length < max; to = text.indexOf(NEWLINE, from)) {
        lines.push(text.toString('utf8', from, to));
        from = to + 1;
      }
      if (lines.length > 0 || this.#unread === 0) {
        this.#readTo += from;
        this.#unread -= lines.length;
        this.#unsettled += lines.length;
        return lines;
      }
      length *= 2;
    }
  }

  /** One of the lines that were read is done with. */
  settle(): void {
    this.#unsettled -= 1;
  }

  /** What cannot be read is not read. @returns how many lines that is */
  giveUp(): number {
    const lost = this.#unread;
    this.#unread = 0;
    this.#readTo = this.#size;
    return lost;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async remove(): Promise<void> {
    await this.#file.close();
    await unlink(this.path);
  }

  async #bytesAt(position: number, length: number): Promise<Buffer> {
    const text = Buffer.alloc(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#file.read(text, done, length - done, position + done);
      if (bytesRead === 0) throw new Error(`${this.path} is shorter than what was written to it`);
      done += bytesRead;
    }
    return text;
  }
}
