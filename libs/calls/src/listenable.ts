import type { OperationOptions } from './operation-options.ts';

/**
 * Something whose events a program can wait for. They are kept, in order, from the start of the call until they are read; each
 * type has a queue of its own.
 */
export interface Listenable<Events> {
  /**
   * Waits for the next event of a type that was not read yet. One that lost a `Promise.race` goes on waiting, and would read
   * an event that nobody awaits: give it a signal, and abort it.
   */
  next<Type extends keyof Events & string>(type: Type, options?: OperationOptions): Promise<Events[Type]>;
  /**
   * Tells the listener each event of a type, one after the other: the next when it has returned, or its promise has resolved.
   * What it throws ends the program.
   *
   * @returns stops listening
   */
  on<Type extends keyof Events & string>(
    type: Type,
    listener: (event: Events[Type]) => Promise<void> | void,
  ): () => void;
}
