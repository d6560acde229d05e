import { freemem } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { installParts } from '@callfleet/testkit';
import { countsOf, type OrderedCalls, orderCalls } from '../../simulated-pbxs/control.ts';
import { type Measure, tellVerdict } from '../../verdict.ts';
import type { BenchOptions } from '../bench-options.ts';
import { residentBytes, watchOthers } from '../process-cpu.ts';
import { CLUSTER_PARTS, type ClusterPart, type ClusterUnderLoad, startCluster } from './cluster-under-load.ts';
import { perPart, watchParts } from './set-up-round.ts';
import { type StoreOperations, watchStores } from './store-operations.ts';

const STEPS = [0, 1000, 2500, 5000, 10_000];
const TARGET_CALLS = 10_000;
const SIZE = { gateways: 2, workers: 2, pbxs: 4 };
const PBX_PROCESSES = 2;
const ARRIVALS_PER_SECOND = 100;
const SETTLE_MS = 3000;
const WATCH_MS = 12_000;
/** All must be over before ten minutes are. */
const BUDGET_MS = 7 * 60_000;
const LEAST_FREE_BYTES = 1.5 * 2 ** 30;
const LOOK_EVERY_MS = 500;
const PARTS = ['nats-server', 'redis-server'] as const;

/** So many calls that do nothing but be there. */
export interface ScaleStep {
  readonly calls: number;
  /** Seconds that it was watched. */
  readonly seconds: number;
  readonly residentBytes: Readonly<Record<ClusterPart, number>>;
  readonly cores: Readonly<Record<ClusterPart, number>>;
  readonly othersCores: number;
  readonly stores: StoreOperations;
}

/** `bench scale`: calls that are there and idle, and what each costs in each service. @returns the exit code */
export async function benchScale({ check }: BenchOptions): Promise<number> {
  await installParts((step) => console.log(`callfleet: ${step}`), PARTS);
  const cluster = await startCluster(SIZE, PBX_PROCESSES);
  const placed: OrderedCalls[] = [];
  const steps: ScaleStep[] = [];
  const startedAt = performance.now();
  let lost = 0;
  try {
    for (const calls of STEPS) {
      const limit = startedAt + BUDGET_MS;
      const before = steps.at(-1)?.calls ?? 0;
      if (calls > before) placed.push(await place(cluster, calls - before));
      const there = await untilThere(cluster, calls, limit);
      await wait(SETTLE_MS);
      const step = await watchStep(cluster, there);
      console.log(`callfleet: ${lineOf(step)}`);
      steps.push(step);
      if (there < calls || performance.now() > limit || freemem() < LEAST_FREE_BYTES) break;
    }
    const counts = await Promise.all(cluster.pbxs.map(countsOf));
    lost = counts.reduce((sum, { callsEnded }) => sum + callsEnded, 0);
    await Promise.all(placed.map((calls) => calls.hangUp()));
  } finally {
    await cluster.stop();
  }
  return tellVerdict('bench scale', scaleMeasures(steps, lost), { raw: { steps, lost }, check });
}

function place({ pbxs }: ClusterUnderLoad, count: number): Promise<OrderedCalls> {
  return orderCalls(pbxs, {
    ...{ count, perSecond: ARRIVALS_PER_SECOND },
    call: { talk: { toneHz: 0 }, giveUpAfterMs: 60_000 },
  });
}

/** Until all are answered, or it takes too long. @returns how many are there */
async function untilThere({ pbxs }: ClusterUnderLoad, calls: number, limit: number): Promise<number> {
  for (;;) {
    const counts = await Promise.all(pbxs.map(countsOf));
    const there = counts.reduce((sum, { callsAnswered, callsEnded }) => sum + callsAnswered - callsEnded, 0);
    if (there >= calls || performance.now() > limit) return there;
    await wait(LOOK_EVERY_MS);
  }
}

async function watchStep(cluster: ClusterUnderLoad, calls: number): Promise<ScaleStep> {
  const used = watchParts(cluster.pids);
  const others = watchOthers([...Object.values(cluster.pids).flat(), process.pid]);
  const stores = await watchStores(cluster);
  const startedAt = performance.now();
  await wait(WATCH_MS);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = used();
  return {
    calls,
    seconds,
    residentBytes: perPart((part) => cluster.pids[part].reduce((sum, pid) => sum + residentBytes(pid), 0)),
    cores: perPart((part) => cpu[part] / seconds),
    othersCores: others(),
    stores: await stores(),
  };
}

/** @param steps the first without calls @param lost calls that ended by themselves */
export function scaleMeasures(steps: readonly ScaleStep[], lost: number): Measure[] {
  const [empty, full] = [steps[0], steps.at(-1)];
  if (!empty || !full || full.calls === 0) return [];
  const perCall = (part: ClusterPart): Measure => ({
    what: `${part}: memory per call`,
    value: (full.residentBytes[part] - empty.residentBytes[part]) / full.calls / 1024,
    unit: 'KiB',
    how: `${mib(empty.residentBytes[part])} without calls, ${mib(full.residentBytes[part])} with ${full.calls}; garbage that is not collected yet included`,
  });
  const cpuPerCall = (part: ClusterPart): Measure => ({
    what: `${part}: CPU of a thousand idle calls`,
    value: ((full.cores[part] - empty.cores[part]) / full.calls) * 1000 * 100,
    unit: '% of a core',
    how: `${percent(empty.cores[part])} without calls, ${percent(full.cores[part])} with ${full.calls}`,
  });
  const rate = (of: (stores: StoreOperations) => number, step: ScaleStep) => of(step.stores) / step.seconds;
  const perThousand = (what: string, of: (stores: StoreOperations) => number): Measure => ({
    what: `${what}, per thousand calls and second`,
    value: ((rate(of, full) - rate(of, empty)) / full.calls) * 1000,
    unit: '/s',
    how: `${rate(of, empty).toFixed(0)}/s without calls, ${rate(of, full).toFixed(0)}/s with ${full.calls}`,
  });
  return [
    {
      what: 'calls at once',
      target: { atLeast: TARGET_CALLS },
      value: full.calls,
      unit: '',
      how: `${SIZE.gateways} gateways, ${SIZE.workers} workers, ${SIZE.pbxs} PBXs; answered, silent, no audio`,
    },
    { what: 'calls lost', target: { atMost: 0 }, value: lost, unit: '', how: 'ended before they were hung up' },
    ...CLUSTER_PARTS.map(perCall),
    ...CLUSTER_PARTS.map(cpuPerCall),
    perThousand('messages to NATS', ({ natsIn }) => natsIn),
    perThousand('messages from NATS', ({ natsOut }) => natsOut),
    perThousand('commands to Redis', ({ redis }) => Object.values(redis).reduce((sum, count) => sum + count, 0)),
    ...steps.map((step) => ({
      what: `${step.calls} calls: CPU of all that is ours`,
      value: CLUSTER_PARTS.reduce((sum, part) => (part === 'pbxs' ? sum : sum + step.cores[part]), 0) * 100,
      unit: '% of a core',
      how: lineOf(step),
    })),
  ];
}

function lineOf({ calls, residentBytes: resident, cores, othersCores, stores, seconds }: ScaleStep): string {
  const redis = Object.entries(stores.redis).sort(([, a], [, b]) => b - a);
  return [
    `${calls} calls`,
    `cores: ${CLUSTER_PARTS.map((part) => `${part} ${cores[part].toFixed(3)}`).join(', ')}; others ${othersCores.toFixed(2)}`,
    `memory: ${CLUSTER_PARTS.map((part) => `${part} ${mib(resident[part])}`).join(', ')}`,
    `NATS ${(stores.natsIn / seconds).toFixed(0)}/s in, ${(stores.natsOut / seconds).toFixed(0)}/s out`,
    `Redis ${redis.map(([name, count]) => `${name} ${(count / seconds).toFixed(1)}/s`).join(' ')}`,
  ].join('; ');
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

function percent(cores: number): string {
  return `${(cores * 100).toFixed(1)} %`;
}
