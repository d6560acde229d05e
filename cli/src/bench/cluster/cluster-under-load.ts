import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Fleet } from '@callfleet/supervise';
import { type NatsServer, type RedisServer, startNatsServer, startRedisServer } from '@callfleet/testkit';
import { serviceMain } from '../../repository.ts';
import { countsOf } from '../../simulated-pbxs/control.ts';
import { type PlacedPbx, SimulatedPbxProcess } from '../../simulated-pbxs/process.ts';

export interface ClusterSize {
  readonly gateways: number;
  readonly workers: number;
  readonly pbxs: number;
}

/** Of the processes whose CPU and memory count, by kind. */
export type ClusterPids = Readonly<Record<ClusterPart, readonly number[]>>;
export const CLUSTER_PARTS = ['gateways', 'workers', 'nats', 'redis', 'pbxs'] as const;
export type ClusterPart = (typeof CLUSTER_PARTS)[number];

/** Gateways and workers with NATS and Redis of their own, on simulated PBXs. No relays: its calls have no audio. */
export interface ClusterUnderLoad {
  readonly size: ClusterSize;
  readonly nats: NatsServer;
  readonly redis: RedisServer;
  readonly pbxs: readonly PlacedPbx[];
  readonly pids: ClusterPids;
  stop(): Promise<void>;
}

const SHARDS = ['callfleet-1', 'callfleet-2'];
const SERVED_LIMIT_MS = 30_000;
/** Above anything that is measured: what is looked for is the machine's limit. */
const MOST_CALLS = 100_000;
const COMMANDS_PER_SECOND = 100_000;

/** @param pbxProcesses the PBXs are shared out among so many processes */
export async function startCluster(size: ClusterSize, pbxProcesses = 1): Promise<ClusterUnderLoad> {
  const owned: Array<() => Promise<unknown>> = [];
  const stop = async () => {
    for (const release of owned.splice(0).reverse()) await release();
  };
  try {
    const nats = await startNatsServer();
    owned.push(() => nats.stop());
    const redis = await startRedisServer();
    owned.push(() => redis.stop());
    const names = Array.from({ length: size.pbxs }, (_, n) => `pbx-${n + 1}`);
    const processes: SimulatedPbxProcess[] = [];
    for (let n = 0; n < Math.min(pbxProcesses, size.pbxs); n += 1) {
      const process = await SimulatedPbxProcess.start(names.filter((_, i) => i % pbxProcesses === n));
      owned.push(() => process.stop());
      processes.push(process);
    }
    const pbxs = processes.flatMap((process) => process.pbxs);
    const folder = await mkdtemp(join(tmpdir(), 'callfleet-bench-'));
    owned.push(() => rm(folder, { recursive: true, force: true }));
    const configFile = join(folder, 'callfleet.yaml');
    await writeFile(configFile, JSON.stringify(configOf({ nats, redis, pbxs, folder })));
    const fleet = await Fleet.start({
      ...{ configFile, serviceMain, gateways: size.gateways, workers: size.workers, relays: [] },
      onLine: (name, line) => console.log(`${name}: ${line.slice(0, 300)}`),
      onLost: (name, code) => console.log(`callfleet: ${name} ended by itself (exit code ${code})`),
    });
    owned.push(() => fleet.stop());
    await Promise.all(pbxs.map(untilServed));
    const pidOf = ({ pid = 0 }: { readonly pid: number | undefined }) => pid;
    const pids = {
      gateways: fleet.gateways.map(pidOf),
      workers: fleet.workers.map(pidOf),
      nats: [nats.pid],
      redis: [redis.pid],
      pbxs: processes.map(pidOf),
    };
    return { size, nats, redis, pbxs, pids, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configOf({
  nats,
  redis,
  pbxs,
  folder,
}: {
  nats: NatsServer;
  redis: RedisServer;
  pbxs: readonly PlacedPbx[];
  folder: string;
}) {
  return {
    nats: { servers: [nats.url] },
    redis: { url: redis.url },
    pbxs: pbxs.map(({ name, httpUrl: url, username, password }) => ({
      ...{ name, url, username, password, shards: SHARDS },
      limits: { commandsPerSecond: COMMANDS_PER_SECOND },
    })),
    programs: [
      {
        name: 'answering',
        file: fileURLToPath(new URL('./answering-call.ts', import.meta.url)),
        extensions: ['100'],
      },
    ],
    gateway: { spillFolder: join(folder, 'spill') },
    worker: { maxCalls: MOST_CALLS },
    telemetry: { level: 'error' },
  };
}

async function untilServed(pbx: PlacedPbx): Promise<void> {
  const limit = performance.now() + SERVED_LIMIT_MS;
  for (;;) {
    const { applications } = await countsOf(pbx);
    if (SHARDS.every((shard) => applications.includes(shard))) return;
    if (performance.now() > limit)
      throw new Error(`${pbx.name}: not every shard is served after ${SERVED_LIMIT_MS} ms`);
    await wait(50);
  }
}
