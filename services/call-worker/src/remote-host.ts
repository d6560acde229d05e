import type { AriRequest } from '@callfleet/ari';
import {
  type CallHost,
  journaledError,
  type KnownMediaSession,
  type PbxAnswer,
  revivedError,
} from '@callfleet/calls/runtime';
import { wallClock } from './clock.ts';
import type { FromThread, HostCall, HostMethods, RunSpec, ToThread } from './thread-protocol.ts';

/** A call's host as its program thread sees it: time is the thread's own, all else is asked of the main thread. */
export class RemoteHost {
  readonly #run: number;
  readonly #post: (message: FromThread) => void;
  readonly #inOperation: <T>(operation: number, work: () => T) => T;
  readonly #operation: () => number | undefined;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #asks = 0;
  #operations = 0;

  constructor(options: {
    run: number;
    post: (message: FromThread) => void;
    /** Runs `work`, and all that comes of it, as part of this operation. */
    inOperation: <T>(operation: number, work: () => T) => T;
    /** The operation that the code which asks is part of. */
    operation: () => number | undefined;
  }) {
    this.#run = options.run;
    this.#post = options.post;
    this.#inOperation = options.inOperation;
    this.#operation = options.operation;
  }

  /** What the main thread answered. */
  settle({ ask, value, error }: Extract<ToThread, { kind: 'reply' }>): void {
    const asked = this.#asked.get(ask);
    this.#asked.delete(ask);
    if (error) asked?.reject(revivedError(error));
    else asked?.resolve(value);
  }

  callHost({ before, ...given }: RunSpec): CallHost {
    const ask = <M extends keyof HostMethods>(method: M, ...args: Parameters<HostMethods[M]>) =>
      this.#ask<M>({ method, args } as HostCall);
    const known = (session: string, relay: string): KnownMediaSession => ({
      relay,
      order: (order) => ask('orderMedia', session, relay, order),
      close: (reason) => ask('closeMedia', session, relay, reason),
    });
    return {
      ...given,
      clock: wallClock,
      journal: { before, append: (entry) => ask('append', entry) },
      command: <T>(id: string, request: AriRequest<T>) => ask('command', id, request) as Promise<PbxAnswer<T>>,
      openMedia: async (session, provider, request) => {
        const opened = await ask('openMedia', session, provider, request);
        return {
          ...opened,
          ...known(session, opened.relay),
          attach: (channelVariables) => ask('attachMedia', session, channelVariables),
        };
      },
      knownMedia: known,
      operation: (name, number, work) => this.#carryOut(name, number, work),
    };
  }

  async #ask<M extends keyof HostMethods>(call: HostCall): Promise<Awaited<ReturnType<HostMethods[M]>>> {
    this.#asks += 1;
    const ask = this.#asks;
    const operation = this.#operation();
    this.#post({ kind: 'ask', run: this.#run, ask, ...(operation !== undefined && { operation }), ...call });
    const asked = Promise.withResolvers<unknown>();
    this.#asked.set(ask, asked);
    return (await asked.promise) as Awaited<ReturnType<HostMethods[M]>>;
  }

  async #carryOut<T>(name: string, number: number, work: () => Promise<T>): Promise<T> {
    this.#operations += 1;
    const [run, operation] = [this.#run, this.#operations];
    this.#post({ kind: 'begin', run, operation, name, number });
    try {
      const result = await this.#inOperation(operation, work);
      this.#post({ kind: 'end', run, operation });
      return result;
    } catch (error) {
      this.#post({ kind: 'end', run, operation, error: journaledError(error) });
      throw error;
    }
  }
}
