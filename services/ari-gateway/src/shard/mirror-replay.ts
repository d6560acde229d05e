import type { CallEvent } from '@callfleet/bus';
import type { CallId } from '@callfleet/identity';
import type { LiveCalls } from '../calls/live-call.ts';
import type { ChannelIndex, IncomingEvent } from '../events/channel-index.ts';
import { eventId } from '../events/event-id.ts';
import type { ShardEvents } from './shard-events.ts';

/** What of a call the stream has. */
export interface CallHistory {
  readonly call: CallId;
  readonly events: readonly CallEvent[];
}

export interface MirrorReplayOptions {
  readonly index: ChannelIndex;
  readonly calls: LiveCalls;
  readonly events: Pick<ShardEvents, 'attend' | 'tell'>;
}

/**
 * Events that were seen before a shard was taken over, on their way to the stream. Those that it has are left out here, although it would
 * drop a repeat: a number given to what is dropped would be missing, and be waited for.
 */
export class MirrorReplay {
  readonly #options: MirrorReplayOptions;
  readonly #seen: readonly { event: IncomingEvent; of: { readonly id: CallId; readonly isCaller: boolean }[] }[];

  /** @param seen in their order */
  constructor(options: MirrorReplayOptions, seen: readonly IncomingEvent[]) {
    this.#options = options;
    this.#seen = seen.map((event) => ({ event, of: options.index.concernedBy(event) }));
  }

  /** The calls that they concern. */
  get calls(): Set<CallId> {
    return new Set(this.#seen.flatMap(({ of }) => of.map(({ id }) => id)));
  }

  /**
   * @param histories of all {@link calls}
   * @returns what was told beyond them
   */
  tell(histories: Iterable<CallHistory>): CallEvent[] {
    const { calls, events } = this.#options;
    const stored = new Set([...histories].flatMap((one) => one.events.map(({ id }) => id)));
    const told: CallEvent[] = [];
    for (const { event, of } of this.#seen) {
      const missing = of.filter(({ id }) => !stored.has(eventId(id, event as IncomingEvent & Record<string, unknown>)));
      if (missing.length > 0) events.attend(event);
      for (const { id, isCaller } of missing) told.push(events.tell(event, calls.get(id), isCaller));
    }
    return told;
  }
}
