import { COSTS } from './costs.ts';

/** What is to be carried. */
export interface Load {
  /** At once, when it is fullest. */
  readonly calls: number;
  /** New ones each second, when it is fullest. */
  readonly callsPerSecond: number;
  /** Of all calls, those with audio through a relay, 0 to 1. */
  readonly audioShare: number;
  /** Of those, the ones with a voice AI; the others hear an echo, or are recorded. */
  readonly aiShare: number;
  /** Events of each call beyond answer and end. */
  readonly eventsPerCall: number;
}

interface PlannedPart {
  readonly part: 'gateways' | 'workers' | 'relays' | 'NATS' | 'Redis' | 'PBXs';
  /** Processes; of relays, threads; of NATS and Redis, servers or clusters of them. */
  readonly count: number;
  /** Cores that are busy, all of them together. */
  readonly cores: number;
  readonly memoryMiB: number;
}

export interface CapacityPlan {
  readonly parts: readonly PlannedPart[];
  readonly natsMessagesPerSecond: number;
  readonly redisCommandsPerSecond: number;
  /** Megabits each second. */
  readonly network: { readonly rtp: number; readonly ai: number; readonly nats: number };
  /** How full each is that can't just be had more of, fullest first: 1 is all that one server carries. */
  readonly limits: ReadonlyArray<{ readonly what: string; readonly share: number; readonly remedy: string }>;
}

/** What each of several regions must be able to carry: the calls of one that is lost come to the others. One region carries all. */
export function loadOfRegion(load: Load, regions: number): Load {
  const share = 1 / Math.max(1, regions - 1);
  return { ...load, calls: load.calls * share, callsPerSecond: load.callsPerSecond * share };
}

/** Every gateway and worker is there twice at least: one may die. */
const LEAST = 2;

/** What a load takes. Pure arithmetic on {@link COSTS}: it is as good as they are. */
export function planFor({ calls, callsPerSecond, audioShare, aiShare, eventsPerCall }: Load): CapacityPlan {
  const c = valuesOf(COSTS);
  const withAi = calls * audioShare * aiShare;
  const withEcho = calls * audioShare - withAi;
  const perSecond = (msPerCall: number, msPerEvent: number) =>
    (callsPerSecond * (msPerCall + eventsPerCall * msPerEvent)) / 1000;

  const gatewayCores = perSecond(c.gatewayMsPerCall, c.gatewayMsPerEvent);
  const workerCores = perSecond(c.workerMsPerCall, c.workerMsPerEvent);
  const relayCores = withEcho * c.relayCoresEcho + withAi * c.relayCoresAi;
  const gateways = Math.max(LEAST, Math.ceil(gatewayCores / c.busyShare));
  const workers = Math.max(LEAST, Math.ceil(workerCores / c.busyShare), Math.ceil(calls / c.callsPerWorker) + 1);
  const byCalls = (withEcho + withAi) / c.callsPerRelayThread;
  const relays = audioShare === 0 ? 0 : Math.max(LEAST, Math.ceil(Math.max(byCalls, relayCores / c.busyShare)));
  const pbxs = Math.max(1, Math.ceil(Math.max(calls / c.callsPerPbx, callsPerSecond / c.callsPerSecondPerPbx)));

  // An event is sent to NATS, and by it to a worker.
  const natsMessagesPerSecond = callsPerSecond * (c.natsMessagesPerCall + 2 * eventsPerCall);
  const redisCommandsPerSecond = callsPerSecond * c.redisCommandsPerCall + (gateways + workers) * c.redisIdlePerProcess;
  const natsShare = natsMessagesPerSecond / c.natsMessagesPerServer;
  const redisShare = redisCommandsPerSecond / c.redisCommandsPerServer;
  const parts: PlannedPart[] = [
    {
      ...{ part: 'gateways', count: gateways, cores: gatewayCores + gateways * c.gatewayCoresIdle },
      memoryMiB: gateways * c.gatewayMiB + calls * c.gatewayMiBPerCall,
    },
    {
      ...{ part: 'workers', count: workers, cores: workerCores + workers * c.workerCoresIdle },
      memoryMiB: workers * c.workerMiB + calls * c.workerMiBPerCall,
    },
    {
      ...{ part: 'relays', count: relays, cores: relayCores },
      memoryMiB: relays * c.relayMiB + calls * audioShare * c.relayMiBPerCall,
    },
    {
      ...{
        part: 'NATS',
        count: Math.max(1, Math.ceil(natsShare)),
        cores: perSecond(c.natsMsPerCall, c.natsMsPerEvent),
      },
      memoryMiB: calls * c.natsMiBPerCall,
    },
    {
      ...{ part: 'Redis', count: Math.max(1, Math.ceil(redisShare)), cores: perSecond(c.redisMsPerCall, 0) },
      memoryMiB: 16,
    },
    { part: 'PBXs', count: pbxs, cores: Number.NaN, memoryMiB: Number.NaN },
  ];
  const limits = [
    {
      what: 'NATS: messages of one JetStream cluster',
      share: natsShare,
      remedy: 'a NATS cluster, gateways and workers for each group of PBXs: no call ever leaves its PBX',
    },
    {
      what: 'Redis: commands of one server',
      share: redisShare,
      remedy: 'Redis Cluster: all keys of a call are in one slot',
    },
    {
      what: 'gateways: each looks after all others',
      share: gateways / 50,
      remedy: 'groups of PBXs with gateways, NATS and Redis of their own',
    },
  ];
  return {
    parts,
    natsMessagesPerSecond,
    redisCommandsPerSecond,
    network: {
      rtp: calls * audioShare * c.rtpMbitPerCall,
      ai: withAi * c.aiMbitPerCall,
      nats: (natsMessagesPerSecond * c.natsBytesPerMessage * 8) / 1e6,
    },
    limits: limits.sort((a, b) => b.share - a.share),
  };
}

type Values<T> = { readonly [Name in keyof T]: number };

function valuesOf<T extends Readonly<Record<string, { readonly value: number }>>>(costs: T): Values<T> {
  return Object.fromEntries(Object.entries(costs).map(([name, { value }]) => [name, value])) as Values<T>;
}
