import { setTimeout as wait } from 'node:timers/promises';
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import type { Bus } from './connection.ts';
import { BusError } from './errors.ts';
import { forbidden } from './forbidden.ts';

export const CALLS = 'CALLS';
export const OFFERS = 'OFFERS';
export const LIVE = 'LIVE';
/** Call records. */
export const CDRS = 'CDRS';

export interface StreamOptions {
  /** Copies of each stream; 1 or 3. Default 1. */
  replicas?: number | undefined;
  /** How long a call's events are kept. Default 6 hours: CALLS serves live calls, the CDR is what lasts. */
  callsMaxAgeMs?: number | undefined;
  /** How long call records are kept. Default 30 days. */
  cdrsMaxAgeMs?: number | undefined;
}

const NANOS_PER_MS = 1e6;
const HOUR_MS = 3_600_000;
/** What nobody removed goes with this: longer than any call. */
const LIVE_MAX_AGE_MS = 24 * HOUR_MS;

const STREAM_NAME_IN_USE = 10058;
const STREAM_NOT_FOUND = 10059;

/**
 * Creates what is missing and updates what differs; safe to call from every gateway at its start. No other service does: a user
 * that may create streams may read and remove all that is in them.
 *
 * @throws BusError CF_NATS_FORBIDDEN
 */
export async function ensureStreams(bus: Bus, options: StreamOptions = {}): Promise<void> {
  const shared = { storage: StorageType.File, num_replicas: options.replicas ?? 1, allow_direct: true };
  await ensure(bus, {
    ...shared,
    name: CALLS,
    subjects: ['cf.call.*.*.ev', 'cf.call.*.*.journal'],
    retention: RetentionPolicy.Limits,
    max_age: (options.callsMaxAgeMs ?? 6 * HOUR_MS) * NANOS_PER_MS,
    duplicate_window: 120_000 * NANOS_PER_MS,
  });
  await ensure(bus, {
    ...shared,
    name: LIVE,
    subjects: ['cf.live.*.*.*'],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    // Only the last word on a call counts, and it is removed with the call.
    max_msgs_per_subject: 1,
    max_age: LIVE_MAX_AGE_MS * NANOS_PER_MS,
  });
  await ensure(bus, {
    ...shared,
    name: OFFERS,
    subjects: ['cf.offer.*', 'cf.offer.*.*'],
    retention: RetentionPolicy.Workqueue,
    discard: DiscardPolicy.Old,
    // An offer outlives its claim time-out only as a leftover; workers drop it by its expiry.
    max_age: 300_000 * NANOS_PER_MS,
    duplicate_window: 120_000 * NANOS_PER_MS,
  });
  await ensure(bus, {
    ...shared,
    name: CDRS,
    subjects: ['cf.cdr.*.*'],
    retention: RetentionPolicy.Limits,
    max_age: (options.cdrsMaxAgeMs ?? 30 * 24 * HOUR_MS) * NANOS_PER_MS,
    // One record per call: a second one for the same call is a repeat, and is dropped.
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
  });
}

async function ensure(bus: Bus, config: Partial<StreamConfig> & { name: string }): Promise<void> {
  try {
    // JetStream answers an identical stream with itself, so processes that start together do not race.
    await bus.jsm.streams.add(config);
  } catch (error) {
    if (codeOf(error) !== STREAM_NAME_IN_USE) throw forbidden(error) ?? error;
    await bus.jsm.streams.update(config.name, config);
  }
}

/** A whole fleet may be starting, its gateways last. */
const STREAMS_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 100;

/**
 * Resolves when these streams are there. Gateways create them, at their start.
 *
 * @throws BusError CF_NATS_NO_STREAMS, CF_NATS_FORBIDDEN
 */
export async function awaitStreams(
  bus: Bus,
  names: readonly string[],
  { withinMs = STREAMS_WITHIN_MS, signal }: { withinMs?: number; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (const name of names)
    while (!(await isThere(bus, name))) {
      if (performance.now() > deadline)
        throw new BusError('CF_NATS_NO_STREAMS', `NATS has no stream ${name}: start a gateway, which creates it`);
      await wait(LOOK_AGAIN_MS, undefined, { signal });
    }
}

async function isThere(bus: Bus, name: string): Promise<boolean> {
  try {
    await bus.jsm.streams.info(name);
    return true;
  } catch (error) {
    if (codeOf(error) === STREAM_NOT_FOUND) return false;
    throw forbidden(error) ?? error;
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
