import type { TurnsPace } from './caller-turns.ts';
import type { MediaEndKind, RelayPlace } from './media-end.ts';
import type { MediaEndsReport } from './media-ends.ts';
import { OrderedProcess } from './ordered-process.ts';

/** What its process is told. */
export type EndsOrder =
  | { readonly add: number }
  | { readonly renew: readonly number[] }
  | { readonly meet: readonly RelayPlace[]; readonly calls?: readonly number[] | undefined }
  | { readonly measureMs: number };

/** What its process tells. */
export type EndsWord =
  | { readonly url: string }
  | { readonly legs: ReadonlyArray<Readonly<Record<string, string>>> }
  | { readonly done: true }
  | { readonly report: MediaEndsReport };

/** The PBX's ends of media legs, in a process of their own: what they cost is not the relay's. One order at a time. */
export class MediaEndsProcess {
  /** Of the PBX, where relays connect to it. */
  url = '';
  readonly #process: OrderedProcess<EndsOrder, EndsWord>;

  /** @param turns callers speak in turns; without, all the time */
  static async start(kind: MediaEndKind, turns?: TurnsPace): Promise<MediaEndsProcess> {
    const ends = new MediaEndsProcess(kind, turns);
    const word = await ends.#process.ready;
    if ('url' in word) ends.url = word.url;
    return ends;
  }

  private constructor(kind: MediaEndKind, turns?: TurnsPace) {
    this.#process = new OrderedProcess('./media-ends-main.ts', [kind, ...(turns ? [JSON.stringify(turns)] : [])]);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** More callers. @returns their legs' channel variables */
  async add(count: number): Promise<ReadonlyArray<Readonly<Record<string, string>>>> {
    const word = await this.#process.ask({ add: count });
    return 'legs' in word ? word.legs : [];
  }

  /** These callers hang up, and call again. @returns their new legs' channel variables */
  async renew(calls: readonly number[]): Promise<ReadonlyArray<Readonly<Record<string, string>>>> {
    const word = await this.#process.ask({ renew: calls });
    return 'legs' in word ? word.legs : [];
  }

  /** @param places what the relay answered for each of these callers; default: of those that were added last */
  async meet(places: readonly RelayPlace[], calls?: readonly number[]): Promise<void> {
    await this.#process.ask({ meet: places, calls });
  }

  /** What all of them hear from now on for so long. */
  async measure(ms: number): Promise<MediaEndsReport> {
    const word = await this.#process.ask({ measureMs: ms }, ms);
    if ('report' in word) return word.report;
    throw new Error('the media ends did not report');
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
