import { fileURLToPath } from 'node:url';
import {
  type Bus,
  type BusOptions,
  type CallRecord,
  CDRS,
  callRecordSchema,
  connectBus,
  decodeMessage,
  storedMessages,
} from '@callfleet/bus';
import { dialplanFor } from '@callfleet/pbx';
import { type LocalFleet, type LocalFleetOptions, startLocalFleet } from '@callfleet/testkit';
import { Redis } from 'ioredis';
import { expect } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** This folder. */
export const TESTS = import.meta.dirname;

const program = (name: string, file: string, extensions: string[]) => ({ name, file: `${ROOT}${file}`, extensions });

/** What can be dialled in a test. */
const PROGRAMS = [
  program('echo-bot', 'examples/echo-bot.ts', ['100', '_1XX']),
  program('parrot-bot', 'examples/parrot-bot.ts', ['200']),
  program('ivr', 'examples/ivr.ts', ['300']),
  program('slow-to-answer', 'tests/programs/slow-to-answer.ts', ['400']),
  program('reads-digits', 'tests/programs/reads-digits.ts', ['500']),
  program('counts-digits', 'tests/programs/counts-digits.ts', ['501']),
  program('only-counts-digits', 'tests/programs/only-counts-digits.ts', ['502']),
  program('talks', 'tests/programs/talks.ts', ['503']),
  program('takes-a-card', 'tests/programs/takes-a-card.ts', ['504']),
  program('long-menu', 'tests/programs/long-menu.ts', ['700']),
  program('presses-digits', 'tests/programs/presses-digits.ts', ['800']),
  program('legs', 'tests/programs/legs.ts', ['_9XXXXXX', '_8[89]XXXXX']),
  program('beats', 'tests/programs/beats.ts', ['_3XXXX']),
  program('outbound', 'tests/programs/outbound.ts', []),
  program('hurries-a-sound', 'tests/programs/hurries-a-sound.ts', ['550']),
  program('uses-everything', 'tests/programs/uses-everything.ts', ['560']),
  program('throws', 'tests/programs/throws.ts', ['600']),
  program('spins', 'tests/programs/spins.ts', ['901']),
  program('spins-in-step', 'tests/programs/spins-in-step.ts', ['902']),
  program('spins-once', 'tests/programs/spins-once.ts', ['903']),
  program('stray-promise', 'tests/programs/stray-promise.ts', ['904']),
  program('stray-exception', 'tests/programs/stray-exception.ts', ['905']),
  program('eats-memory', 'tests/programs/eats-memory.ts', ['906']),
];

/** The whole system, and what a test asks of it. */
export interface TestFleet extends LocalFleet {
  readonly bus: Bus;
  /** The record of the call from this number; waits until it is written, by default 10 s. */
  recordOf(caller: string, timeoutMs?: number): Promise<CallRecord>;
  /** How many records have been written. */
  recordCount(): Promise<number>;
  /** Fails unless everything made for calls is gone: on the PBXs, in Redis, in the relays. */
  expectNothingLeft(): Promise<void>;
  /** Every line that a service logged as a warning or worse. */
  readonly complaints: string[];
}

export interface TestFleetOptions extends Partial<LocalFleetOptions> {
  /** How the test itself reaches NATS and Redis, where they ask who it is. */
  readonly observer?: { readonly nats: Partial<BusOptions>; readonly redis: { password: string } };
}

export async function startTestFleet({ observer, ...options }: TestFleetOptions = {}): Promise<TestFleet> {
  const complaints: string[] = [];
  const complain = (line: string) => {
    complaints.push(line);
    // Shown when the test fails.
    console.warn(`${new Date().toISOString()} ${line}`);
  };
  const system = await startLocalFleet({
    serviceMain: (kind) => `${ROOT}services/${kind}/src/main.ts`,
    programs: PROGRAMS,
    dialplan: dialplanFor,
    onLine: (name, line) => complain(`${name}: ${line}`),
    onLost: (name, code) => complain(`${name} ended by itself (exit code ${code})`),
    ...options,
    config: { telemetry: { level: 'warn' }, ...options.config },
  });
  const bus = await connectBus({ servers: [system.nats.url], name: 'test', ...observer?.nats });
  const records = new Map<string, CallRecord>();
  let read = 0;
  let reading: Promise<void> | undefined;
  /** From the stream, so that none is missed while NATS is away. */
  const readNewRecords = async () => {
    for await (const { seq, data } of storedMessages(bus, 'cf.cdr.>', read + 1, CDRS)) {
      read = seq;
      const record = decodeMessage(callRecordSchema, data);
      records.set(record.caller.number, record);
    }
  };
  /** One reader for all who wait: hundreds of them would be a load of their own. */
  const readRecords = () => {
    reading ??= readNewRecords().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const sessions = new Map<string, { count: number; heardAt: number }>();
  bus.nc.subscribe('cf.relays', {
    callback: (_error, message) => {
      const { relay, sessions: count } = message.json<{ relay: string; sessions: number }>();
      sessions.set(relay, { count, heardAt: Date.now() });
    },
  });
  return {
    ...system,
    bus,
    complaints,
    async recordOf(caller, timeout = 10_000) {
      const isWritten = async () => {
        if (!records.has(caller)) await readRecords();
        return records.has(caller);
      };
      await expect.poll(isWritten, { timeout, message: `record of ${caller}` }).toBe(true);
      return records.get(caller) as CallRecord;
    },
    async recordCount() {
      return (await bus.jsm.streams.info(CDRS)).state.messages;
    },
    async expectNothingLeft() {
      const options = { timeout: 10_000, interval: 50 };
      for (const pbx of system.pbxs) await expect.poll(() => system.leftovers(pbx), options).toEqual([]);
      await expect.poll(() => callLeases(system.redis.url, observer?.redis), options).toEqual([]);
      // A relay that is dead announces nothing any more.
      const alive = () => [...sessions.values()].filter(({ heardAt }) => Date.now() - heardAt < 3000);
      await expect.poll(() => alive().reduce((sum, { count }) => sum + count, 0), options).toBe(0);
    },
    async stop() {
      await bus.close();
      await system.stop();
    },
  };
}

/** Leases of calls; those of shards stay as long as their gateways, those of Asterisks as long as the configuration. */
async function callLeases(url: string, user: { password?: string } = {}): Promise<string[]> {
  const redis = new Redis(url, user);
  try {
    return (await redis.keys('cf:lease:*')).filter((key) => !/^cf:lease:\{(shard|entity)\//.test(key));
  } finally {
    redis.disconnect();
  }
}
