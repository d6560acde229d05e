import { connectRedis } from '@callfleet/leases';
import type { ClusterUnderLoad } from './cluster-under-load.ts';

/** What NATS and Redis were asked for since something else was counted. */
export interface StoreOperations {
  /** Messages that NATS was sent, and sent on. */
  readonly natsIn: number;
  readonly natsOut: number;
  readonly natsInBytes: number;
  /** By command; those of a script count as well. */
  readonly redis: Readonly<Record<string, number>>;
}

/** Counts NATS's messages and Redis's commands. @returns those since then, to be asked again and again */
export async function watchStores({ nats, redis }: ClusterUnderLoad): Promise<() => Promise<StoreOperations>> {
  const read = async (): Promise<StoreOperations> => {
    const response = await fetch(`${nats.monitorUrl}/varz`);
    const varz = (await response.json()) as { in_msgs: number; out_msgs: number; in_bytes: number };
    return {
      natsIn: varz.in_msgs,
      natsOut: varz.out_msgs,
      natsInBytes: varz.in_bytes,
      redis: commandsIn(await infoOf(redis.url)),
    };
  };
  const before = await read();
  return async () => {
    const now = await read();
    const commands = Object.entries(now.redis).map(
      ([name, count]) => [name, count - (before.redis[name] ?? 0)] as const,
    );
    return {
      natsIn: now.natsIn - before.natsIn,
      natsOut: now.natsOut - before.natsOut,
      natsInBytes: now.natsInBytes - before.natsInBytes,
      // Our own look is none of theirs.
      redis: Object.fromEntries(commands.filter(([name, count]) => count > 0 && !OWN.has(name))),
    };
  };
}

const OWN = new Set(['info', 'auth', 'hello', 'client|setinfo', 'client|setname', 'quit', 'select']);

/** `INFO commandstats`: `cmdstat_set:calls=3,usec=...` */
export function commandsIn(info: string): Record<string, number> {
  const found = info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return Object.fromEntries([...found].map(([, name = '', calls]) => [name, Number(calls)]));
}

async function infoOf(url: string): Promise<string> {
  const redis = await connectRedis(url, { name: 'bench', onError: () => {} });
  try {
    return await redis.info('commandstats');
  } finally {
    redis.disconnect();
  }
}
