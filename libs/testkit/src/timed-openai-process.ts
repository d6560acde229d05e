import { OrderedProcess } from './ordered-process.ts';
import type { AiTurns } from './timed-openai.ts';

/** What its process tells. */
export type TimedAiWord =
  | { readonly url: string; readonly key: string }
  | { readonly turns: Readonly<Record<string, AiTurns>> };

/** A local OpenAI Realtime in a process of its own, which notes when it hears and speaks. */
export class TimedOpenAiProcess {
  url = '';
  key = '';
  readonly #process = new OrderedProcess<{ readonly take: true }, TimedAiWord>('./timed-openai-main.ts', []);

  static async start(): Promise<TimedOpenAiProcess> {
    const ai = new TimedOpenAiProcess();
    const word = await ai.#process.ready;
    if ('url' in word) ({ url: ai.url, key: ai.key } = word);
    return ai;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Of each call since it was asked last, by the `model` that its provider asked for. */
  async take(): Promise<Readonly<Record<string, AiTurns>>> {
    const word = await this.#process.ask({ take: true });
    return 'turns' in word ? word.turns : {};
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
