import type { Bus } from './connection.ts';
import { EventOutbox } from './event-outbox.ts';
import { claimLeftovers, type SpillOwner } from './spill-folder.ts';
import { SpillQueue } from './spill-queue.ts';

type Tell = (fields: Readonly<Record<string, unknown>>, event: string) => void;

/** Where a process says what becomes of its events. */
export interface EventLog {
  readonly info: Tell;
  readonly warn: Tell;
  readonly error: Tell;
}

export interface LeftoversOptions {
  readonly bus: Bus;
  /** `gateway.spillFolder`, `relay.spillFolder`. */
  readonly root: string;
  /** The folder in it that is ours. */
  readonly own: string;
  readonly owner: SpillOwner;
  readonly log: EventLog;
}

/** They must not take the way of the events of now: so few wait for NATS at once. */
const MAX_HELD = 1000;

/**
 * Publishes what gateways and relays that are dead have left on disk, beside our own events; what NATS has of it already is a repeat,
 * which does no harm. Ends early when we stop: then it is the next one's. Never rejects.
 */
export async function publishLeftovers(options: LeftoversOptions, stopping: AbortSignal): Promise<void> {
  const { root, own, owner, log } = options;
  try {
    for (const folder of await claimLeftovers(root, own, owner)) {
      if (stopping.aborted) return;
      await publishFrom(folder, options, stopping);
    }
  } catch (error) {
    log.error({ err: error, folder: root }, 'leftovers.failed');
  }
}

async function publishFrom(folder: string, { bus, log }: LeftoversOptions, stopping: AbortSignal): Promise<void> {
  const onTrouble = (error: unknown, lost: number) => log.error({ err: error, folder, lost }, 'leftovers.unreadable');
  const spill = await SpillQueue.reopen({ folder, maxBytes: 0, onTrouble }, (file, bytes) =>
    log.warn({ folder, file, bytes }, 'leftovers.torn'),
  );
  const events = spill.length;
  const outbox = new EventOutbox(bus, {
    maxHeld: MAX_HELD,
    spill,
    onRefused: () => {},
    onRetry: (error) => log.warn({ err: error, held: outbox.held }, 'leftovers.publish-retried'),
    onUnreadable: (error) => onTrouble(error, 1),
  });
  const stopped = Promise.withResolvers<void>();
  stopping.addEventListener('abort', () => stopped.resolve(), { once: true });
  await Promise.race([outbox.flushed(), stopped.promise]);
  const left = outbox.held;
  await outbox.close();
  if (events > 0) log.info({ folder, events, left }, 'leftovers.published');
}
