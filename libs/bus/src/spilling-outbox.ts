import type { Bus } from './connection.ts';
import { EventOutbox } from './event-outbox.ts';
import { type EventLog, publishLeftovers } from './leftover-events.ts';
import { createSpillFolder } from './spill-folder.ts';
import { SpillQueue } from './spill-queue.ts';

export interface SpillingOutboxOptions {
  /** Of the process, in the configuration. */
  readonly settings: {
    readonly maxHeldEvents: number;
    readonly spillFolder: string;
    readonly maxSpillBytes: number;
  };
  /** Unique to this start of the process. */
  readonly instance: string;
  /** The NATS that the events are for: what others left on disk for another one is not ours. */
  readonly servers: readonly string[];
  /** Called once, with what tells how many wait now. */
  readonly metrics: (held: () => number) => { onPublished(type: string): void; onRefused(events?: number): void };
  readonly log: EventLog;
  /** Aborted when the process stops. */
  readonly stopping: AbortSignal;
}

export interface SpillingOutbox {
  readonly outbox: EventOutbox;
  readonly spill: SpillQueue;
  /** Resolves when what dead processes had left on disk is published, or is another's to publish. */
  readonly leftovers: Promise<void>;
}

/**
 * A process's events on their way to NATS, with room in memory and on disk; and what processes that are dead left there.
 *
 * @throws BusError CF_SPILL_FOLDER
 */
export async function openSpillingOutbox(
  bus: Bus,
  { settings, instance, servers, metrics, log, stopping }: SpillingOutboxOptions,
): Promise<SpillingOutbox> {
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
  const counts = metrics(() => outbox.held);
  return { outbox, spill, leftovers: publishLeftovers({ bus, root, own: folder, owner, log }, stopping) };
}
