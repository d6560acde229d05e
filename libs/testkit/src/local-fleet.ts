import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Fleet, planRelays, type ServiceKind } from '@callfleet/supervise';
import { type Asterisk, startAsterisk } from './asterisk.ts';
import { fallbackContext } from './dialplan.ts';
import { lineHolderContext } from './local-caller.ts';
import { type NatsServer, type NatsServerOptions, startNatsServer } from './nats-server.ts';
import { claimPbxPorts } from './port-claim.ts';
import { type RedisServer, type RedisServerOptions, startRedisServer } from './redis-server.ts';

export interface LocalFleetOptions {
  /** Path of a service's `main.ts`. */
  readonly serviceMain: (kind: ServiceKind) => string;
  /** As in callfleet.yaml; `file` absolute. */
  readonly programs: ReadonlyArray<{ name: string; version?: string; file: string; extensions: readonly string[] }>;
  /**
   * One PBX for each: how media legs reach the relay near it, and configuration files in place of the testkit's own. Default:
   * `websocket` for the first, `rtp` for the second.
   */
  readonly pbxs?: ReadonlyArray<{
    name: string;
    transport: 'websocket' | 'rtp';
    files?: Readonly<Record<string, string>>;
  }>;
  /** The dialplan context that hands calls to these shards, and those it cannot to `callfleet-fallback`. */
  readonly dialplan: (options: { shards: readonly string[]; context: string }) => string;
  /** The dialplan's context `callfleet-fallback`. Default: one that answers with a tone. */
  readonly fallback?: string;
  /** `pbxs[].trunks` of each. Default: none. */
  readonly pbxTrunks?: ReadonlyArray<Readonly<Record<string, unknown>>>;
  /** Another PBX in place of a real Asterisk, or one reached in another way; told the files that a real one would have. */
  readonly startPbx?: (name: string, files: Readonly<Record<string, string>>) => Promise<Asterisk>;
  /** Environment of each relay, beside what it has from its plan. */
  readonly relayEnv?: (index: number) => Readonly<Record<string, string>>;
  readonly gateways?: number;
  readonly workers?: number;
  /** How NATS and Redis are started. */
  readonly nats?: NatsServerOptions;
  readonly redis?: RedisServerOptions;
  /** Laid over the configuration file: sections of callfleet.yaml. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The same of how NATS and Redis are reached, from their URLs. */
  readonly reach?: (servers: { nats: NatsServer; redis: RedisServer }) => Readonly<Record<string, unknown>>;
  readonly onProgress?: (step: string) => void;
  readonly onLine?: (name: string, line: string) => void;
  readonly onLost?: (name: string, code: number) => void;
}

/** The PBXs and what they share, and the fleet that serves them: the whole system on this machine. */
export interface LocalFleet {
  readonly configFile: string;
  readonly nats: NatsServer;
  readonly redis: RedisServer;
  readonly pbxs: readonly Asterisk[];
  readonly fleet: Fleet;
  /** What is there now of calls on a PBX: ids of channels and bridges. Empty when everything is gone. */
  leftovers(pbx: Asterisk): Promise<string[]>;
  /** Stops everything and removes its files. */
  stop(): Promise<void>;
}

const SHARDS = ['callfleet-1', 'callfleet-2'];
const SERVED_LIMIT_MS = 20_000;

/** Brings the whole system up; resolves when every shard of every PBX is served. */
export async function startLocalFleet(options: LocalFleetOptions): Promise<LocalFleet> {
  const progress = options.onProgress ?? (() => {});
  const wanted: NonNullable<LocalFleetOptions['pbxs']> = options.pbxs ?? [
    { name: 'pbx-a', transport: 'websocket' },
    { name: 'pbx-b', transport: 'rtp' },
  ];
  const owned: Array<() => Promise<void>> = [];
  const stop = async () => {
    for (const release of owned.splice(0).reverse()) await release();
  };
  const own = <T extends { stop(): Promise<void> }>(part: T): T => {
    owned.push(() => part.stop());
    return part;
  };
  const dialplan = options.dialplan({ shards: SHARDS, context: 'default' });
  const extensions = `[general]\n${dialplan}${options.fallback ?? fallbackContext()}${lineHolderContext()}`;
  try {
    const startPbx = options.startPbx ?? ((name, files) => startAsterisk({ name, files }));
    progress('starting NATS, Redis and Asterisk');
    const [nats, redis, ...pbxs] = await allOrNone([
      startNatsServer(options.nats).then(own),
      startRedisServer(options.redis).then(own),
      ...wanted.map(({ name, files }) => startPbx(name, { 'extensions.conf': extensions, ...files }).then(own)),
    ]);
    const folder = await mkdtemp(join(tmpdir(), 'callfleet-'));
    owned.push(() => rm(folder, { recursive: true, force: true }));
    const configFile = join(folder, 'callfleet.yaml');
    await writeFile(configFile, JSON.stringify(configOf(nats, redis, pbxs, folder, options), null, 2));

    progress('starting gateways, workers and relays');
    const ports = await claimPbxPorts();
    owned.push(async () => ports.release());
    const plans = planRelays(
      wanted.map(({ name }) => name),
      1,
      { portMin: ports.first, portMax: ports.first + ports.count - 1 },
    );
    const fleet = await Fleet.start({
      configFile,
      serviceMain: options.serviceMain,
      gateways: options.gateways ?? 2,
      workers: options.workers ?? 2,
      relays: plans.map((plan, index) => ({
        ...plan,
        env: {
          ...plan.env,
          CALLFLEET_RELAY__TRANSPORT: wanted[index]?.transport ?? 'rtp',
          ...options.relayEnv?.(index),
        },
      })),
      onLine: options.onLine ?? (() => {}),
      onLost: options.onLost ?? (() => {}),
    });
    own(fleet);
    progress('waiting until every shard is served');
    await Promise.all(pbxs.map(untilServed));
    return { configFile, nats, redis, pbxs, fleet, leftovers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** As Promise.all, but waits for all: what did start is owned by then, and can be stopped. */
async function allOrNone<T extends readonly unknown[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

function configOf(
  nats: NatsServer,
  redis: RedisServer,
  pbxs: readonly Asterisk[],
  folder: string,
  options: LocalFleetOptions,
) {
  return {
    nats: { servers: [nats.url] },
    redis: { url: redis.url },
    ...options.reach?.({ nats, redis }),
    pbxs: pbxs.map((pbx) => ({
      name: pbx.name,
      url: pbx.httpUrl,
      username: pbx.username,
      password: pbx.password,
      shards: SHARDS,
      zone: pbx.name,
      trunks: options.pbxTrunks ?? [],
    })),
    programs: options.programs,
    ...options.config,
    gateway: { spillFolder: join(folder, 'spill'), ...(options.config?.gateway as object) },
    relay: {
      spillFolder: join(folder, 'spill'),
      rtp: { bindAddress: '127.0.0.1', advertisedAddress: '127.0.0.1' },
      ...(options.config?.relay as object),
    },
  };
}

async function untilServed(pbx: Asterisk): Promise<void> {
  const limit = AbortSignal.timeout(SERVED_LIMIT_MS);
  for (;;) {
    const applications = (await ari(pbx, 'applications')) as Array<{ name: string }>;
    const served = new Set(applications.map((application) => application.name));
    if (SHARDS.every((shard) => served.has(shard))) return;
    if (limit.aborted) throw new Error(`${pbx.name}: not every shard is served after ${SERVED_LIMIT_MS} ms`);
    await wait(50);
  }
}

async function leftovers(pbx: Asterisk): Promise<string[]> {
  const [channels, bridges] = (await Promise.all([ari(pbx, 'channels'), ari(pbx, 'bridges')])) as Array<
    Array<{ id: string }>
  >;
  return [...(channels ?? []).map(({ id }) => `channel ${id}`), ...(bridges ?? []).map(({ id }) => `bridge ${id}`)];
}

async function ari(pbx: Asterisk, path: string): Promise<unknown> {
  const authorization = `Basic ${Buffer.from(`${pbx.username}:${pbx.password}`).toString('base64')}`;
  const response = await fetch(`${pbx.httpUrl}/ari/${path}`, { headers: { authorization } });
  if (!response.ok) throw new Error(`${pbx.name}: GET /ari/${path} answers ${response.status}`);
  return response.json();
}
