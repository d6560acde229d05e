import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PartsError } from './errors.ts';
import type { MediaEndKind, RelayPlace } from './media-end.ts';
import type { MediaEndsReport } from './media-ends.ts';

/** What its process is told. */
export type EndsOrder =
  | { readonly add: number }
  | { readonly meet: readonly RelayPlace[] }
  | { readonly measureMs: number };

/** What its process tells. */
export type EndsWord =
  | { readonly url: string }
  | { readonly legs: ReadonlyArray<Readonly<Record<string, string>>> }
  | { readonly done: true }
  | { readonly report: MediaEndsReport };

/** Above what any order takes, besides a measurement. */
const ANSWER_MS = 10_000;

/** The PBX's ends of media legs, in a process of their own: what they cost is not the relay's. One order at a time. */
export class MediaEndsProcess {
  /** Of the PBX, where relays connect to it. */
  url = '';
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  static async start(kind: MediaEndKind): Promise<MediaEndsProcess> {
    const ends = new MediaEndsProcess(kind);
    const word = await ends.#nextWord(ANSWER_MS);
    if ('url' in word) ends.url = word.url;
    return ends;
  }

  private constructor(kind: MediaEndKind) {
    this.#child = fork(fileURLToPath(new URL('./media-ends-main.ts', import.meta.url)), [kind], { detached: true });
    this.#exited = once(this.#child, 'exit');
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** More callers. @returns their legs' channel variables */
  async add(count: number): Promise<ReadonlyArray<Readonly<Record<string, string>>>> {
    const word = await this.#ask({ add: count });
    return 'legs' in word ? word.legs : [];
  }

  /** @param places what the relay answered for each of those that were added last */
  async meet(places: readonly RelayPlace[]): Promise<void> {
    await this.#ask({ meet: places });
  }

  /** What all of them hear from now on for so long. */
  async measure(ms: number): Promise<MediaEndsReport> {
    const word = await this.#ask({ measureMs: ms }, ANSWER_MS + ms);
    if ('report' in word) return word.report;
    throw new Error('the media ends did not report');
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
  }

  #ask(order: EndsOrder, limitMs = ANSWER_MS): Promise<EndsWord> {
    const word = this.#nextWord(limitMs);
    this.#child.send(order);
    return word;
  }

  async #nextWord(limitMs: number): Promise<EndsWord> {
    const gone = this.#exited.then(() => {
      throw new PartsError('CF_PARTS_UNAVAILABLE', 'the media ends have ended');
    });
    const [word] = await Promise.race([once(this.#child, 'message', { signal: AbortSignal.timeout(limitMs) }), gone]);
    return word as EndsWord;
  }
}
