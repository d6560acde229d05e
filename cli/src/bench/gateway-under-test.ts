import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus } from '@callfleet/bus';
import { Fleet } from '@callfleet/supervise';
import { installParts, startNatsServer, startRedisServer } from '@callfleet/testkit';
import { serviceMain } from '../repository.ts';

export interface BenchPbx {
  readonly name: string;
  readonly httpUrl: string;
  readonly username: string;
  readonly password: string;
}

/** One gateway process with NATS and Redis of its own, on PBXs that are there already. */
export interface GatewayUnderTest {
  readonly bus: Bus;
  /** Of the processes whose CPU counts. */
  readonly pids: { readonly gateway: number; readonly nats: number };
  stop(): Promise<void>;
}

/** No offer of a bench runs out. */
const CLAIM_TIMEOUT_MS = 600_000;

/** Log lines that are shown, and how much of each: a gateway that is overrun has thousands. */
const MOST_LINES = 10;
const LINE_LENGTH = 300;

/** @param limits of each PBX, as in the configuration */
export async function startGatewayUnderTest(
  pbxs: readonly BenchPbx[],
  shards: readonly string[],
  limits: Readonly<Record<string, number>> = {},
): Promise<GatewayUnderTest> {
  await installParts((step) => console.log(`callfleet: ${step}`));
  const owned: Array<() => Promise<unknown>> = [];
  const stop = async () => {
    for (const release of owned.splice(0).reverse()) await release();
  };
  try {
    const nats = await startNatsServer();
    owned.push(() => nats.stop());
    const redis = await startRedisServer();
    owned.push(() => redis.stop());
    const folder = await mkdtemp(join(tmpdir(), 'callfleet-bench-'));
    owned.push(() => rm(folder, { recursive: true, force: true }));
    const configFile = join(folder, 'callfleet.yaml');
    const config = {
      nats: { servers: [nats.url] },
      redis: { url: redis.url },
      pbxs: pbxs.map(({ name, httpUrl: url, username, password }) => ({
        ...{ name, url, username, password, shards, limits },
      })),
      gateway: { spillFolder: join(folder, 'spill'), claimTimeoutMs: CLAIM_TIMEOUT_MS },
      telemetry: { level: 'warn' },
    };
    await writeFile(configFile, JSON.stringify(config));
    let lines = 0;
    const fleet = await Fleet.start({
      configFile,
      serviceMain,
      gateways: 1,
      workers: 0,
      relays: [],
      onLine: (name, line) => {
        lines += 1;
        if (lines <= MOST_LINES) console.log(`${name}: ${line.slice(0, LINE_LENGTH)}`);
      },
      onLost: (name, code) => console.log(`callfleet: ${name} ended by itself (exit code ${code})`),
    });
    owned.push(() => fleet.stop());
    const bus = await connectBus({ servers: [nats.url], name: 'bench' });
    owned.push(() => bus.close());
    const gateway = fleet.gateways[0]?.pid ?? 0;
    return { bus, pids: { gateway, nats: nats.pid }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
