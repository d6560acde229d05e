import type { ServiceProcess } from '@callfleet/supervise';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, expect } from 'vitest';
import { startTestFleet, type TestFleet, type TestFleetOptions } from './test-fleet.ts';

const SHARDS = ['callfleet-1', 'callfleet-2'];
const SOON = { timeout: 20_000, interval: 50 };

/** How many there were when the fleet was started; of relays, which. */
interface Numbers {
  readonly gateways: number;
  readonly workers: number;
  readonly relays: readonly string[];
}

/**
 * One fleet for all tests of a file or of a `describe`: a start costs more than most of them do. Before each test there are as
 * many gateways, workers and relays as at the start, others in the place of those that are gone and at the end of their lists;
 * nobody takes the dead for alive any more, each gateway has its share of the shards, and nobody has complained. After a test
 * that failed everything is stopped, and the next one, or its second attempt, has a new fleet.
 *
 * Where gateways die, `gateway.rebalanceAfterMs` should be short: their successors' shares are waited for.
 *
 * @param options of each fleet, asked just before it is started
 * @param whole told the fleet before each test
 */
export function shareFleet(options: () => TestFleetOptions, whole: (system: TestFleet) => unknown): void {
  let shared: { system: TestFleet; numbers: Numbers; added: number } | undefined;
  const stop = async () => {
    const { system } = shared ?? {};
    shared = undefined;
    if (!system) return;
    // One that a test has left hanging would not hear that it is to stop.
    for (const { pid } of Object.values(listsOf(system)).flat().filter(isRunning)) process.kill(pid ?? 0, 'SIGCONT');
    await system.stop();
  };

  beforeEach(async () => {
    if (!shared) {
      const system = await startTestFleet(options());
      const { gateways, workers, relays } = system.fleet;
      const numbers = { gateways: gateways.length, workers: workers.length, relays: relays.map(({ name }) => name) };
      shared = { system, numbers, added: 0 };
    }
    const { system, numbers } = shared;
    shared.added = await makeUpNumbers(system, numbers, shared.added);
    system.complaints.length = 0;
    await whole(system);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await stop();
  });
  afterAll(stop);
}

/** Resolves when every shard's commands are taken: by another gateway, where one had it that died. */
export async function shardsTaken(system: TestFleet): Promise<void> {
  const isTaken = (pbx: string, shard: string) =>
    system.bus.nc.request(`cf.cmd.${pbx}.${shard}`, '{}', { timeout: 1000 }).then(
      () => true,
      () => false,
    );
  for (const { name } of system.pbxs)
    for (const shard of SHARDS) await expect.poll(() => isTaken(name, shard), SOON).toBe(true);
}

const isRunning = (service: ServiceProcess) => service.isRunning;
const listsOf = ({ fleet: { gateways, workers, relays } }: TestFleet) => ({ gateways, workers, relays });

/** @param added services that were added in earlier rounds, for their names @returns the same now */
async function makeUpNumbers(system: TestFleet, numbers: Numbers, added: number): Promise<number> {
  const { fleet } = system;
  const { gateways, workers, relays } = listsOf(system);
  for (const list of [gateways, workers, relays]) list.splice(0, list.length, ...list.filter(isRunning));
  await Promise.all(
    [...gateways.splice(numbers.gateways), ...workers.splice(numbers.workers)].map((one) => one.stop()),
  );

  let last = added;
  const next = (kind: string) => {
    last += 1;
    return `${kind}-more${last}`;
  };
  const isMissing = (name: string) => !relays.some((relay) => relay.name === name || relay.name.startsWith(`${name}-`));
  const missingGateways = numbers.gateways - gateways.length;
  await Promise.all([
    ...Array.from({ length: missingGateways }, () => fleet.addGateway(next('gateway'))),
    ...Array.from({ length: numbers.workers - workers.length }, () => fleet.addWorker(next('worker'), {})),
    ...numbers.relays.filter(isMissing).map((name) => fleet.replaceRelay(name, next(name))),
  ]);

  const redis = new Redis(system.redis.url);
  try {
    await expect.poll(() => deadSessions(redis, system), { ...SOON, message: 'sessions of the dead' }).toEqual([]);
    if (missingGateways > 0)
      await expect.poll(() => areShared(redis, system), { ...SOON, message: 'shards are shared' }).toBe(true);
  } finally {
    redis.disconnect();
  }
  await shardsTaken(system);
  return last;
}

/** `worker-1` of `worker-1-x7f3`. */
export const nameOf = (instance: string) => instance.slice(0, instance.lastIndexOf('-'));

/** Gateways and workers that are gone, and whose sessions have not run out. */
async function deadSessions(redis: Redis, { fleet }: TestFleet): Promise<string[]> {
  const alive = new Set([...fleet.gateways, ...fleet.workers].map(({ name }) => name));
  const kinds = await Promise.all(
    ['gateway', 'worker'].map((kind) => redis.zrangebyscore(`cf:session:${kind}`, Date.now(), '+inf')),
  );
  return kinds.flat().filter((instance) => !alive.has(nameOf(instance)));
}

/** Whether no gateway has two shards more than another, of a PBX or in all. */
async function areShared(redis: Redis, { fleet, pbxs }: TestFleet): Promise<boolean> {
  const shards = pbxs.flatMap((pbx) => SHARDS.map((shard) => ({ pbx: pbx.name, shard })));
  const owned = await Promise.all(
    shards.map(async ({ pbx, shard }) => ({
      pbx,
      by: nameOf((await redis.hget(`cf:lease:{shard/${pbx}/${shard}}`, 'owner')) ?? ''),
    })),
  );
  if (!owned.every(({ by }) => fleet.gateways.some(({ name }) => name === by))) return false;
  const isEven = (some: typeof owned) => {
    const shares = fleet.gateways.map(({ name }) => some.filter(({ by }) => by === name).length);
    return Math.max(...shares) - Math.min(...shares) < 2;
  };
  return isEven(owned) && pbxs.every(({ name }) => isEven(owned.filter(({ pbx }) => pbx === name)));
}
