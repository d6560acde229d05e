import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SpillSegment } from './spill-segment.ts';

const MIB = 1024 * 1024;
const RETRY_AFTER_MS = 1000;
const SUFFIX = '.jsonl';

export interface SpillQueueOptions {
  /** Its own; made when it is needed. */
  readonly folder: string;
  /** Of lines on disk and on their way there. */
  readonly maxBytes: number;
  /** Of lines that wait to be written. Default 64 MiB: what a busy process holds until it gets to its next write. */
  readonly maxUnwrittenBytes?: number | undefined;
  /** A file is full then, and is deleted when all of it is settled. Default 8 MiB. */
  readonly segmentBytes?: number | undefined;
  /** The disk refuses something. Writing is tried again; lines that can not be read are `lost`. */
  readonly onTrouble: (error: unknown, lost: number) => void;
}

export interface SpilledLine {
  readonly text: string;
  /** It need not be kept any longer. Until then its file is, for whoever comes after us. Undefined: it is in no file. */
  readonly settle: (() => void) | undefined;
}

/** A queue of lines on disk: first in, first out. `push` never waits. */
export class SpillQueue {
  readonly #options: SpillQueueOptions;
  readonly #maxUnwrittenBytes: number;
  readonly #segmentBytes: number;
  /** Oldest first; only the last one is written. */
  readonly #segments: SpillSegment[] = [];
  #unwritten: Buffer[] = [];
  #unwrittenBytes = 0;
  #length = 0;
  #bytes = 0;
  #count = 0;
  /** One write that is under way; never rejects. */
  #append: Promise<void> | undefined;
  #appendingTo: SpillSegment | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  readonly #removing = new Set<Promise<void>>();
  #closed = false;

  constructor(options: SpillQueueOptions) {
    this.#options = options;
    this.#maxUnwrittenBytes = options.maxUnwrittenBytes ?? 64 * MIB;
    this.#segmentBytes = options.segmentBytes ?? 8 * MIB;
  }

  /**
   * What a queue of a process that died has left in this folder.
   *
   * @param onTorn told of a file whose last line is not whole
   */
  static async reopen(options: SpillQueueOptions, onTorn: (file: string, bytes: number) => void): Promise<SpillQueue> {
    const queue = new SpillQueue(options);
    for (const name of (await readdir(options.folder)).filter((file) => file.endsWith(SUFFIX)).sort()) {
      const segment = await SpillSegment.reopen(join(options.folder, name), (bytes) => onTorn(name, bytes));
      queue.#segments.push(segment);
      queue.#length += segment.unread;
      queue.#bytes += segment.size;
    }
    queue.#sweep();
    return queue;
  }

  /** Lines that nobody has taken. */
  get length(): number {
    return this.#length;
  }

  /** Of files, and of lines that wait to be written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns false when there is no room for it */
  push(line: string): boolean {
    const text = Buffer.from(`${line}\n`);
    if (this.#closed || this.#bytes + text.length > this.#options.maxBytes) return false;
    if (this.#unwrittenBytes + text.length > this.#maxUnwrittenBytes) return false;
    this.#unwritten.push(text);
    this.#unwrittenBytes += text.length;
    this.#bytes += text.length;
    this.#length += 1;
    this.#write();
    return true;
  }

  /** The next lines, at most `max`; none only when there are none. One caller at a time. */
  async take(max: number): Promise<SpilledLine[]> {
    while (this.#length > 0) {
      const segment = this.#segments.find(({ unread }) => unread > 0);
      if (segment) {
        const lines = await this.#read(segment, max);
        if (lines.length > 0) return lines;
      } else if (this.#append) await this.#append;
      else return this.#takeUnwritten(max);
    }
    return [];
  }

  /**
   * Writes what is not written, once, and leaves it for whoever comes after us; where nothing is left, the folder goes too.
   *
   * @param front lines to be read before all others
   * @returns how many lines are lost
   */
  async close(front: readonly string[] = []): Promise<number> {
    this.#closed = true;
    while (this.#append) await this.#append;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    const lost = (await this.#writeFront(front)) + (await this.#writeRest());
    await Promise.all(this.#removing);
    await Promise.all(this.#segments.map((segment) => segment.close()));
    // Fails where it holds anything.
    await rmdir(this.#options.folder).catch(() => {});
    return lost;
  }

  async #writeFront(lines: readonly string[]): Promise<number> {
    if (lines.length === 0) return 0;
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    if (this.#bytes + text.length > this.#options.maxBytes) return lines.length;
    try {
      const segment = await this.#createSegment(0);
      await segment.append(text, lines.length);
      await segment.close();
      return 0;
    } catch (error) {
      this.#options.onTrouble(error, lines.length);
      return lines.length;
    }
  }

  async #writeRest(): Promise<number> {
    while (this.#unwritten.length > 0 && (await this.#writeOnce()));
    return this.#unwritten.length;
  }

  async #read(segment: SpillSegment, max: number): Promise<SpilledLine[]> {
    try {
      const lines = await segment.read(max);
      this.#length -= lines.length;
      return lines.map((text) => ({
        text,
        settle: () => {
          segment.settle();
          this.#sweep();
        },
      }));
    } catch (error) {
      const lost = segment.giveUp();
      this.#length -= lost;
      this.#options.onTrouble(error, lost);
      this.#sweep();
      return [];
    }
  }

  /** The disk is slower than whoever takes, or refuses them. */
  #takeUnwritten(max: number): SpilledLine[] {
    const taken = this.#unwritten.slice(0, max);
    this.#bytes -= this.#dropUnwritten(taken.length);
    this.#length -= taken.length;
    return taken.map((text) => ({ text: text.toString('utf8', 0, text.length - 1), settle: undefined }));
  }

  #dropUnwritten(count: number): number {
    const bytes = this.#unwritten.slice(0, count).reduce((sum, { length }) => sum + length, 0);
    this.#unwritten = this.#unwritten.slice(count);
    this.#unwrittenBytes -= bytes;
    return bytes;
  }

  #write(): void {
    if (this.#append || this.#retryTimer || this.#unwritten.length === 0) return;
    this.#append = this.#writeOnce().then((isWritten) => {
      this.#append = undefined;
      if (this.#closed) return;
      if (isWritten) this.#write();
      else this.#writeLater();
    });
  }

  #writeLater(): void {
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#write();
    }, RETRY_AFTER_MS);
  }

  /** As many as fill a file: a busy process gets to its next write late. */
  #nextLines(): Buffer[] {
    let bytes = 0;
    const end = this.#unwritten.findIndex((line) => {
      bytes += line.length;
      return bytes >= this.#segmentBytes;
    });
    return end < 0 ? [...this.#unwritten] : this.#unwritten.slice(0, end + 1);
  }

  async #writeOnce(): Promise<boolean> {
    const lines = this.#nextLines();
    try {
      const last = this.#segments.at(-1);
      const segment = last && last.size < this.#segmentBytes ? last : await this.#addSegment();
      this.#appendingTo = segment;
      await segment.append(Buffer.concat(lines), lines.length);
      this.#dropUnwritten(lines.length);
      return true;
    } catch (error) {
      this.#options.onTrouble(error, 0);
      return false;
    } finally {
      this.#appendingTo = undefined;
    }
  }

  async #addSegment(): Promise<SpillSegment> {
    this.#count += 1;
    const segment = await this.#createSegment(this.#count);
    // Before it has any line it looks spent.
    this.#appendingTo = segment;
    this.#segments.push(segment);
    return segment;
  }

  async #createSegment(number: number): Promise<SpillSegment> {
    const { folder } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return SpillSegment.create(join(folder, `${String(number).padStart(8, '0')}${SUFFIX}`));
  }

  #sweep(): void {
    for (const segment of this.#segments.filter(({ isSpent }) => isSpent)) {
      if (segment === this.#appendingTo) continue;
      this.#segments.splice(this.#segments.indexOf(segment), 1);
      this.#bytes -= segment.size;
      const removal = segment.remove().catch((error: unknown) => this.#options.onTrouble(error, 0));
      this.#removing.add(removal);
      void removal.finally(() => this.#removing.delete(removal));
    }
  }
}
