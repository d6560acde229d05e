import type { CallEvent } from '@callfleet/bus';
import { CallEndedError, CallError } from '../errors.ts';
import type { Listenable } from '../listenable.ts';
import type { OperationOptions } from '../operation-options.ts';
import { abortable } from './abortable.ts';
import type { CallScope } from './call-scope.ts';
import { InputQueue } from './input-queue.ts';
import type { Operation } from './operation.ts';

export interface EventSourceOptions {
  readonly scope: CallScope;
  /** How its operations are named: `<name>.next turn`. */
  readonly name: string;
  /** What an event of the call is to the program, if it is of this source and this type. */
  readonly read: (event: CallEvent, type: string) => object | undefined;
  /** Aborted when nothing comes any more. */
  readonly over: AbortSignal;
}

/** Events that a program can read: one queue for each type, filled from the start of the call. */
export class EventSource<Events> implements Listenable<Events> {
  readonly #options: EventSourceOptions;
  readonly #queues = new Map<string, InputQueue<unknown>>();

  constructor(options: EventSourceOptions) {
    this.#options = options;
  }

  next<Type extends keyof Events & string>(type: Type, options?: OperationOptions): Promise<Events[Type]> {
    const { scope, name, over } = this.#options;
    const queue = this.#queue(type);
    return scope.ask(`${name} ${type}`, (operation) => taken<Events[Type]>(operation, queue, over), {
      inputs: queue,
      options,
    });
  }

  on<Type extends keyof Events & string>(
    type: Type,
    listener: (event: Events[Type]) => Promise<void> | void,
  ): () => void {
    const stop = new AbortController();
    const listen = async () => {
      try {
        while (!stop.signal.aborted) await listener(await this.next(type, { signal: stop.signal }));
      } catch (error) {
        const isOver = stop.signal.aborted || error instanceof CallEndedError || isEndOf(this.#options.over, error);
        if (!isOver) this.#options.scope.fail(error);
      }
    };
    void listen();
    return () => stop.abort();
  }

  #queue(type: string): InputQueue<unknown> {
    const known = this.#queues.get(type);
    if (known) return known;
    const { scope, read } = this.#options;
    const queue = new InputQueue<unknown>();
    this.#queues.set(type, queue);
    scope.events.subscribe((event) => {
      const value = read(event, type);
      if (value !== undefined) queue.push(value);
    });
    return queue;
  }
}

/** The leg, or the conversation, is over: its listeners have nothing more to hear. After a replay only the code tells. */
function isEndOf(over: AbortSignal, error: unknown): boolean {
  return error instanceof CallError && (error.code === 'CF_LEG_ENDED' || error === over.reason);
}

/** Takes the queue's next item as soon as there is one. */
async function taken<T>(operation: Operation, queue: InputQueue<unknown>, over: AbortSignal): Promise<T> {
  const signal = AbortSignal.any([operation.signal, over]);
  for (;;) {
    const item = operation.take();
    if (item !== undefined) return item as T;
    const more = Promise.withResolvers<void>();
    const stop = queue.onInput(more.resolve);
    try {
      await abortable(more.promise, signal);
    } finally {
      stop();
    }
  }
}
