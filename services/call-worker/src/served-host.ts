import { AsyncLocalStorage } from 'node:async_hooks';
import { type CallHost, journaledError, type OpenMediaSession, revivedError } from '@callfleet/calls/runtime';
import type { FromThread, HostCall, HostMethods, ToThread } from './thread-protocol.ts';

type About<Kind extends FromThread['kind']> = Extract<FromThread, { kind: Kind }>;

/** Runs something where it would have run without a border between: in the trace of its call, or of its operation. */
type Context = ReturnType<typeof AsyncLocalStorage.snapshot>;

/** One run's host, as the main thread serves it to a program thread. */
export class ServedHost {
  readonly #host: CallHost;
  readonly #reply: (message: ToThread) => void;
  readonly #call: Context = AsyncLocalStorage.snapshot();
  readonly #operations = new Map<number, { context: Context; end: PromiseWithResolvers<void> }>();
  readonly #media = new Map<string, OpenMediaSession>();

  /** Made where the call's trace is. */
  constructor(host: CallHost, reply: (message: ToThread) => void) {
    this.#host = host;
    this.#reply = reply;
  }

  async ask(message: About<'ask'>): Promise<void> {
    const { run, ask, operation = 0 } = message;
    const context = this.#operations.get(operation)?.context ?? this.#call;
    try {
      this.#reply({ kind: 'reply', run, ask, value: await context(() => this.#carryOut(message)) });
    } catch (error) {
      this.#reply({ kind: 'reply', run, ask, error: journaledError(error) });
    }
  }

  begin({ operation, name, number }: About<'begin'>): void {
    const end = Promise.withResolvers<void>();
    const work = () => {
      this.#operations.set(operation, { context: AsyncLocalStorage.snapshot(), end });
      return end.promise;
    };
    // Its failure is the program's to know, and it does already.
    this.#call(() => this.#host.operation(name, number, work)).catch(() => {});
  }

  end({ operation, error }: Pick<About<'end'>, 'operation' | 'error'>): void {
    const end = this.#operations.get(operation)?.end;
    this.#operations.delete(operation);
    if (error) end?.reject(revivedError(error));
    else end?.resolve();
  }

  /** The run has lost its thread: nothing that it began comes to its end there. */
  cutOff(reason: Error): void {
    for (const operation of [...this.#operations.keys()]) this.end({ operation, error: journaledError(reason) });
  }

  #carryOut(call: HostCall): ReturnType<HostMethods[keyof HostMethods]> {
    switch (call.method) {
      case 'command':
        return this.#host.command(...call.args);
      case 'append':
        return this.#host.journal.append(...call.args);
      case 'openMedia':
        return this.#openMedia(...call.args);
      case 'attachMedia':
        return this.#attachMedia(...call.args);
      case 'orderMedia': {
        const [session, relay, order] = call.args;
        return this.#host.knownMedia(session, relay).order(order);
      }
      case 'closeMedia': {
        const [session, relay, reason] = call.args;
        return this.#host.knownMedia(session, relay).close(reason);
      }
    }
  }

  async #openMedia(...args: Parameters<HostMethods['openMedia']>): ReturnType<HostMethods['openMedia']> {
    const opened = await this.#host.openMedia(...args);
    this.#media.set(args[0], opened);
    return { relay: opened.relay, leg: opened.leg };
  }

  async #attachMedia(session: string, channelVariables: Readonly<Record<string, string>>): Promise<void> {
    await this.#media.get(session)?.attach(channelVariables);
  }
}
