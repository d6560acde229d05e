import { type CallId, type ResourceId, type ResourceKind, resourceId } from '@callfleet/identity';
import type { OperationOptions } from '../operation-options.ts';
import type { CallEvents } from './call-events.ts';
import type { CallHost } from './call-host.ts';
import type { FollowedChannel } from './followed-channel.ts';
import type { InputQueue } from './input-queue.ts';
import type { Operation } from './operation.ts';
import type { OperationLog } from './operation-log.ts';
import { Privacy } from './privacy.ts';

/** How the caller, the legs, the rooms and the conversations of one call ask for an operation. */
export interface Asking<Kept, Told = Kept> {
  readonly options?: OperationOptions | undefined;
  readonly undo?: ((operation: Operation) => Promise<unknown>) | undefined;
  readonly inputs?: InputQueue<unknown> | undefined;
  readonly needs?: 'call' | 'nothing' | undefined;
  readonly revive?: ((kept: Kept) => Told) | undefined;
}

/** What everything of one call shares: its events, its operations, the ids of what it makes, and what must be gone at its end. */
export class CallScope {
  readonly id: CallId;
  readonly caller: FollowedChannel;
  readonly host: CallHost;
  readonly events: CallEvents;
  readonly log: OperationLog;
  /** Aborted when the call is over. */
  readonly over: AbortSignal;
  readonly privacy = new Privacy();
  readonly #fail: (error: unknown) => void;
  readonly #counts = new Map<ResourceKind, number>();
  readonly #removals: Array<(operation: Operation) => Promise<unknown>> = [];

  constructor(options: {
    id: CallId;
    caller: FollowedChannel;
    host: CallHost;
    events: CallEvents;
    log: OperationLog;
    over: AbortSignal;
    /** Ends the program with this error. */
    fail: (error: unknown) => void;
  }) {
    this.id = options.id;
    this.caller = options.caller;
    this.host = options.host;
    this.events = options.events;
    this.log = options.log;
    this.over = options.over;
    this.#fail = options.fail;
  }

  ask<Kept, Told = Kept>(
    name: string,
    work: (operation: Operation) => Promise<Kept>,
    { needs = 'call', revive = (kept) => kept as unknown as Told, ...rest }: Asking<Kept, Told> = {},
  ): Promise<Told> {
    return this.log.ask({ name, work, needs, revive, ...rest });
  }

  /** The id of something new. Asked for in the program's order, it is the same in every replay. */
  newId(kind: ResourceKind): ResourceId {
    const n = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, n);
    return resourceId(this.id, kind, n);
  }

  /** What was made for the call is removed at its end, whether it is there or not. */
  removeAtEnd(removal: (operation: Operation) => Promise<unknown>): void {
    this.#removals.push(removal);
  }

  async removeAll(operation: Operation): Promise<void> {
    await Promise.allSettled(this.#removals.map((removal) => removal(operation)));
  }

  /** A listener threw: the program is over. */
  fail(error: unknown): void {
    this.#fail(error);
  }
}
