import { z } from 'zod';
import type { Conversation } from '../conversation.ts';
import { CallError } from '../errors.ts';
import type { Tool, Tools } from '../tool.ts';
import { abortable } from './abortable.ts';
import type { CallScope } from './call-scope.ts';
import type { MediaLeg } from './media-leg.ts';

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const TIMEOUT_MS = 10_000;
const FILLER_AFTER_MS = 700;
/** What a relay takes. */
const MAX_RESULT = 65_536;
const NOT_WANTED = new Error('the AI does not want it any more');

/** The tools as an AI is told of them. @throws TypeError which names the tool */
export function describeTools(tools: Tools): object[] {
  return Object.entries(tools).map(([name, { description, schema }]) => {
    if (!NAME.test(name)) throw new TypeError(`connect: a tool is named "${name}" (accepted: ${NAME.source})`);
    const { $schema: _, ...parameters } = z.toJSONSchema(schema, { io: 'input' });
    if (parameters.type !== 'object') throw new TypeError(`connect: the schema of tool "${name}" is no object`);
    return { name, description, parameters };
  });
}

/** Answers the AI's tool calls in one conversation: each runs as a step, several at once. */
export class ToolRunner {
  readonly #scope: CallScope;
  readonly #conversation: Conversation;
  readonly #leg: MediaLeg;
  readonly #tools: Tools;
  readonly #underWay = new Map<string, AbortController>();

  constructor(scope: CallScope, conversation: Conversation, leg: MediaLeg, tools: Tools) {
    this.#scope = scope;
    this.#conversation = conversation;
    this.#leg = leg;
    this.#tools = tools;
  }

  start(): void {
    this.#conversation.on('tool-call', (call) => {
      // The next one need not wait for it.
      void this.#answer(call).catch((error: unknown) => {
        if (!isOver(error)) this.#scope.fail(error);
      });
    });
    this.#conversation.on('tool-call-cancelled', ({ id }) => this.#underWay.get(id)?.abort(NOT_WANTED));
  }

  async #answer({ id, name, arguments: given }: { id: string; name: string; arguments: unknown }): Promise<void> {
    const cancel = new AbortController();
    this.#underWay.set(id, cancel);
    try {
      const result = await this.#run(id, name, given, cancel.signal);
      if (!cancel.signal.aborted) await this.#conversation.toolResult(id, result);
    } finally {
      this.#underWay.delete(id);
    }
  }

  /** @returns what the AI is told */
  async #run(id: string, name: string, given: unknown, signal: AbortSignal): Promise<string> {
    const tool = Object.hasOwn(this.#tools, name) ? this.#tools[name] : undefined;
    if (!tool) return asError(`there is no tool "${name}" (there are: ${Object.keys(this.#tools).join(', ')})`);
    const args = tool.schema.safeParse(given);
    if (!args.success) return asError(`its arguments do not fit: ${z.prettifyError(args.error)}`);
    try {
      return await this.#scope.ask(
        `step tool ${name}`,
        (operation) => this.#carryOut(tool, id, args.data, operation.signal),
        {
          options: { signal, timeoutMs: tool.timeoutMs ?? TIMEOUT_MS },
        },
      );
    } catch (error) {
      if (isOver(error)) throw error;
      return signal.aborted ? '' : asError((error as Error).message);
    }
  }

  async #carryOut(tool: Tool, id: string, args: unknown, signal: AbortSignal): Promise<string> {
    const { filler, fillerAfterMs = FILLER_AFTER_MS } = tool;
    const over = AbortSignal.any([signal, this.#leg.over]);
    const sayFiller = () => void this.#leg.order({ op: 'say', id: `filler ${id}`, text: filler ?? '' }).catch(() => {});
    const cancelFiller = filler ? this.#scope.host.clock.after(fillerAfterMs, sayFiller) : () => {};
    try {
      // One that does not look at its signal must not keep the call.
      return asText(await abortable(Promise.resolve(tool.run(args, over)), over));
    } finally {
      cancelFiller();
    }
  }
}

const OVER: ReadonlySet<unknown> = new Set([
  'CF_CALL_ENDED',
  'CF_CALL_TAKEN_OVER',
  'CF_LEG_ENDED',
  'CF_MEDIA_UNAVAILABLE',
]);

/** The call, or its conversation: nobody is to be answered. After a replay only the code tells. */
function isOver(error: unknown): boolean {
  return error instanceof CallError && OVER.has(error.code);
}

function asText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'done');
  return text.length <= MAX_RESULT ? text : asError(`its result is longer than ${MAX_RESULT} characters`);
}

function asError(message: string): string {
  return JSON.stringify({ error: message.slice(0, 4000) });
}
