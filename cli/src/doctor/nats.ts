import { BusError, connectBus } from '@callfleet/bus';
import type { Config } from '@callfleet/config';
import { reasonOf } from './connection-reason.ts';
import { type Finding, Findings } from './finding.ts';

const OLDEST = [2, 11] as const;

const about = new Findings('nats');

/** What a nats-server tells of itself on connecting. */
interface NatsFacts {
  readonly version: string;
  /** Its name where it is one of a cluster. */
  readonly cluster?: string | undefined;
  /** The servers of the cluster, as far as they let clients know. */
  readonly connect_urls?: readonly string[] | undefined;
}

export async function checkNats({ nats }: Config, connectTimeoutMs: number): Promise<Finding[]> {
  try {
    const bus = await connectBus({ ...nats, name: 'callfleet-doctor', connectTimeoutMs });
    try {
      const facts: NatsFacts = bus.nc.info ?? { version: '0.0.0' };
      return [
        about.ok('reachable', bus.nc.getServer()),
        about.ok('jetstream', 'enabled'),
        checkNatsVersion(facts),
        ...checkReplicas(facts, nats.replicas),
      ];
    } finally {
      await bus.close();
    }
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return [explain(error, nats.servers.join(', '))];
  }
}

export function checkNatsVersion({ version }: NatsFacts): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld
    ? about.problem('version', `${version}; Callfleet needs ${OLDEST.join('.')}`, 'update nats-server on every node')
    : about.ok('version', version);
}

/** More copies than servers: JetStream refuses to create the streams. */
export function checkReplicas({ cluster, connect_urls: urls = [] }: NatsFacts, replicas: number): Finding[] {
  if (replicas === 1) return [];
  const wanted = `nats.replicas is ${replicas}`;
  if (cluster === undefined)
    return [
      about.problem(
        'replicas',
        `${wanted}, but this server is alone`,
        'set nats.replicas to 1, or run nats-server as a cluster',
      ),
    ];
  // Servers need not tell their addresses; and one may tell several.
  if (urls.length > 0 && urls.length < replicas)
    return [
      about.problem(
        'replicas',
        `${wanted}, but the cluster ${cluster} shows ${urls.length}`,
        'start the other servers, or lower nats.replicas',
      ),
    ];
  return [about.ok('replicas', `${replicas}, in the cluster ${cluster}`)];
}

function explain(error: BusError, servers: string): Finding {
  switch (error.code) {
    case 'CF_NATS_UNAUTHORIZED':
      return about.problem(
        'credentials',
        `${servers} refuses them`,
        'mend nats.user and nats.password, nats.token, nats.nkeyFile or nats.credentialsFile, or the users of the server',
      );
    case 'CF_NATS_CREDENTIALS':
      return about.problem('credentials', error.message, 'mend the file, or who may read it');
    case 'CF_NATS_FORBIDDEN':
      return about.problem('permissions', error.message, 'load what ./callfleet nats-permissions prints');
    case 'CF_NATS_NO_JETSTREAM':
      return about.problem(
        'jetstream',
        `${servers} answers, but has no JetStream`,
        'start nats-server with -js or a jetstream {} block; with accounts, enable it for this one',
      );
    default: {
      const reason = reasonOf(error, { host: servers, hostname: servers });
      const why = error.cause instanceof Error ? error.cause.message : error.message;
      return about.problem(
        'reachable',
        reason?.found ?? `${servers}: ${why}`,
        reason?.mend ?? 'check nats.servers and nats.tls, and that the server runs',
      );
    }
  }
}
