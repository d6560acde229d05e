import type { Bus } from './connection.ts';
import { EventOutbox } from './event-outbox.ts';
import { type EventLog, publishLeftovers } from './leftover-events.ts';
import { createSpillFolder } from './spill-folder.ts';
import { SpillQueue } from './spill-queue.ts';

/** Where it stands in the life of its process; the last one registered comes first. */
interface OwningService {
  /** Unique to this start of the process. */
  readonly instance: string;
  readonly log: EventLog;
  /** Aborted when the process stops. */
  readonly stopping: AbortSignal;
  onDrain(what: string, drain: () => Promise<unknown>): void;
  onStop(what: string, close: () => Promise<unknown>): void;
}

/** What waits for NATS now. */
interface Waiting {
  held(): number;
  /** What of it is on disk. */
  readonly spill: { readonly length: number; readonly bytes: number };
}

export interface SpillingOutboxOptions {
  /** Of the process, in the configuration. */
  readonly settings: {
    readonly maxHeldEvents: number;
    readonly spillFolder: string;
    readonly maxSpillBytes: number;
  };
  /** The NATS that the events are for: what others left on disk for another one is not ours. */
  readonly servers: readonly string[];
  /** Called once. */
  readonly metrics: (waiting: Waiting) => { onPublished(type: string): void; onRefused(events?: number): void };
}

/**
 * A service's events on their way to NATS, with room in memory and on disk; and what processes that are dead left there. All of them
 * are published before the service is drained.
 *
 * @throws BusError CF_SPILL_FOLDER
 */
export async function openSpillingOutbox(
  bus: Bus,
  service: OwningService,
  { settings, servers, metrics }: SpillingOutboxOptions,
): Promise<EventOutbox> {
  const { instance, log, stopping } = service;
  const { maxHeldEvents, spillFolder: root, maxSpillBytes } = settings;
  const owner = { instance, servers };
  const folder = await createSpillFolder(root, owner);
  const spill = new SpillQueue({
    folder,
    maxBytes: maxSpillBytes,
    onTrouble: (error, lost) => {
      counts.onRefused(lost);
      log.error({ err: error, folder, lost }, 'spill.failed');
    },
  });
  const outbox: EventOutbox = new EventOutbox(bus, {
    maxHeld: maxHeldEvents,
    spill,
    onPublished: ({ type }) => counts.onPublished(type),
    onRefused: ({ call, type, id }) => {
      counts.onRefused();
      log.error({ call, type, event: id }, 'event.lost');
    },
    onRetry: (error) => log.warn({ err: error, held: outbox.held }, 'event.publish-retried'),
    onUnreadable: (error) => log.error({ err: error, folder }, 'spill.unreadable'),
  });
  const counts = metrics({ held: () => outbox.held, spill });
  service.onStop('events', async () => {
    const lost = await outbox.close();
    if (lost > 0) log.error({ lost }, 'events.lost');
  });
  service.onDrain('events', () => outbox.flushed());
  const leftovers = publishLeftovers({ bus, root, own: folder, owner, log }, stopping);
  service.onDrain('leftovers', () => leftovers);
  return outbox;
}
