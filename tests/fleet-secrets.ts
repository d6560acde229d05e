import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LocalFleetOptions } from '@callfleet/testkit';

const MAIN = fileURLToPath(new URL('../cli/src/main.ts', import.meta.url));
const run = promisify(execFile);

/** A user for each service, as an operator gets them from `./callfleet nats-permissions` and `redis-acl`. */
export interface FleetSecrets {
  /** Where the keys and passwords are. */
  readonly folder: string;
  /** For nats-server's configuration. */
  readonly authorization: string;
  /** For Redis's `aclfile`. */
  readonly acl: string;
  nkeyFile(service: string): string;
  redisPassword(user: string): Promise<string>;
  /** A fleet on servers with these users; one configuration file for all services. */
  readonly fleet: Pick<LocalFleetOptions, 'nats' | 'redis' | 'reach'>;
  remove(): Promise<void>;
}

export async function createFleetSecrets(): Promise<FleetSecrets> {
  const folder = await mkdtemp(join(tmpdir(), 'callfleet-secrets-'));
  const print = async (...args: string[]) => (await run(process.execPath, [MAIN, ...args, folder])).stdout;
  const authorization = await print('nats-permissions', '--keys');
  const acl = await print('redis-acl', '--passwords');
  return {
    folder,
    authorization,
    acl,
    nkeyFile: (service) => join(folder, `nats-${service}.nk`),
    redisPassword: async (user) => (await readFile(join(folder, `redis-${user}-password`), 'utf8')).trim(),
    fleet: {
      nats: { config: authorization },
      redis: { acl },
      reach: ({ nats, redis }) => ({
        nats: { servers: [nats.url], nkeyFile: join(folder, 'nats-${service}.nk') },
        redis: {
          url: redis.url.replace(
            '://',
            () => `://callfleet-\${service}:\${file:${join(folder, 'redis-${service}-password')}}@`,
          ),
        },
      }),
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
