import { installParts } from '@callfleet/testkit';
import { type Measure, tellVerdict } from '../../verdict.ts';
import type { BenchOptions } from '../bench-options.ts';
import { type ClusterSize, type ClusterUnderLoad, startCluster } from './cluster-under-load.ts';
import {
  costOf,
  HOLD_MS,
  type IdleCores,
  measureIdle,
  measureSetUp,
  ownCost,
  perPart,
  type SetUpRound,
} from './set-up-round.ts';

const TARGETS = { callsPerSecond: 500, setUpP99Ms: 100, growth: 1.25 };
const RATES = [50, 100, 200, 300, 400, 500, 700];
/** A rate is missed when it is missed so often: another program may have had the machine. */
const TRIES = 2;
/** Of what comes; below it the rest only waits. */
const LEAST_CARRIED = 0.75;
const ROUND_SECONDS = 6;
const WARM_UP = { perSecond: 150, seconds: 6 };

/** Gateways and workers, so many of each, on PBXs enough that each gateway has shards. */
const SIZES = [1, 2, 4];
const PBXS_OF_SIZES = 4;
const PBX_COUNTS = [1, 10, 50];
/** Far from what the machine carries: here it is costs that are compared. */
const COMPARED_PER_SECOND = 80;
const COMPARED_SECONDS = 6;
const COMPARED_ROUNDS = 2;
const PARTS = ['nats-server', 'redis-server'] as const;

const NO_CORES: IdleCores = perPart(() => 0);

interface Cluster {
  readonly rates: readonly SetUpRound[];
  readonly sizes: readonly SetUpRound[];
  readonly pbxCounts: readonly SetUpRound[];
}

/** `bench cluster`: calls set up through the whole system on simulated PBXs, and how its costs grow. @returns the exit code */
export async function benchCluster({ check }: BenchOptions): Promise<number> {
  await installParts((step) => console.log(`callfleet: ${step}`), PARTS);
  const rates = await stepUp();
  const sizes: SetUpRound[] = [];
  for (const count of SIZES) sizes.push(await compare({ gateways: count, workers: count, pbxs: PBXS_OF_SIZES }));
  const pbxCounts: SetUpRound[] = [];
  for (const pbxs of PBX_COUNTS) pbxCounts.push(await compare({ gateways: 2, workers: 2, pbxs }));
  const raw = { rates, sizes, pbxCounts };
  return tellVerdict('bench cluster', clusterMeasures(raw), { raw, check });
}

/** Faster and faster, until calls fail, or come so fast that they are not carried through any more. */
async function stepUp(): Promise<SetUpRound[]> {
  const cluster = await startCluster({ gateways: 1, workers: 1, pbxs: 1 });
  try {
    const idle = await warmUp(cluster);
    const rounds: SetUpRound[] = [];
    for (const perSecond of RATES) {
      for (let n = 0; n < TRIES && !rounds.some((round) => round.perSecond === perSecond && isHeld(round)); n += 1)
        rounds.push(told(await measureSetUp(cluster, perSecond, ROUND_SECONDS, idle)));
      const last = rounds.at(-1);
      if (last && (last.failed > 0 || last.carriedPerSecond < perSecond * LEAST_CARRIED)) break;
    }
    return rounds;
  } finally {
    await cluster.stop();
  }
}

async function compare(size: ClusterSize): Promise<SetUpRound> {
  const cluster = await startCluster(size);
  try {
    const idle = await warmUp(cluster);
    const rounds: SetUpRound[] = [];
    for (let n = 0; n < COMPARED_ROUNDS; n += 1)
      rounds.push(told(await measureSetUp(cluster, COMPARED_PER_SECOND, COMPARED_SECONDS, idle)));
    return quietest(rounds);
  } finally {
    await cluster.stop();
  }
}

/** Each process needs as many calls to be warm, however many there are. @returns what it takes afterwards, without calls */
async function warmUp(cluster: ClusterUnderLoad): Promise<IdleCores> {
  const { gateways } = cluster.size;
  await measureSetUp(cluster, WARM_UP.perSecond, WARM_UP.seconds * Math.min(gateways, 2), NO_CORES);
  return measureIdle(cluster);
}

/** Where callers waited least. Processes that wait for a core find more to do in one go, and cost less for each call. */
function quietest(rounds: readonly SetUpRound[]): SetUpRound {
  return rounds.reduce((best, round) => (round.setUpMs.p50 < best.setUpMs.p50 ? round : best));
}

function isHeld({ failed, setUpMs }: SetUpRound): boolean {
  return failed === 0 && setUpMs.p99 <= TARGETS.setUpP99Ms;
}

function told(round: SetUpRound): SetUpRound {
  const { gateways, workers, pbxs } = round.size;
  console.log(
    `callfleet: ${gateways} gateways, ${workers} workers, ${pbxs} PBXs, ${round.perSecond} calls/s: ${lineOf(round)}`,
  );
  return round;
}

/** @param rates of one gateway, one worker and one PBX, growing */
export function clusterMeasures({ rates, sizes, pbxCounts }: Cluster): Measure[] {
  const held = rates.filter(isHeld);
  const best = held.at(-1);
  const growth = (rounds: readonly SetUpRound[]) => {
    const [first, last] = [rounds[0], rounds.at(-1)];
    return first && last ? ownCost(last) / ownCost(first) : Number.NaN;
  };
  return [
    {
      what: 'calls set up per second',
      target: { atLeast: TARGETS.callsPerSecond },
      value: Math.max(0, ...held.map(({ perSecond }) => perSecond)),
      unit: '/s',
      how: `p99 ≤ ${TARGETS.setUpP99Ms} ms, none failed; answered, held for ${HOLD_MS} ms, hung up by the caller; everything on this machine`,
    },
    {
      what: 'calls carried per second, however late',
      value: Math.max(...rates.map(({ carriedPerSecond }) => carriedPerSecond)),
      unit: '/s',
      how: 'all answered and over, of the fastest round',
    },
    {
      what: 'set-up p99 at that rate',
      target: { atMost: TARGETS.setUpP99Ms },
      value: best?.setUpMs.p99 ?? Number.NaN,
      unit: 'ms',
      how: best ? lineOf(best) : 'no rate was held',
    },
    {
      what: 'cost of a call, 4 gateways and workers, times that of 1',
      target: { atMost: TARGETS.growth },
      value: growth(sizes),
      unit: '×',
      how: `CPU of gateways, workers, NATS and Redis, beyond what they take without calls (${idleOf(sizes)} cores); set-up p50 ${mediansOf(sizes)} ms; ${COMPARED_PER_SECOND} calls/s on ${PBXS_OF_SIZES} PBXs`,
    },
    {
      what: 'cost of a call, 50 PBXs, times that of 1',
      target: { atMost: TARGETS.growth },
      value: growth(pbxCounts),
      unit: '×',
      how: `the same (${idleOf(pbxCounts)} cores without calls, set-up p50 ${mediansOf(pbxCounts)} ms), 2 gateways, 2 workers, ${COMPARED_PER_SECOND} calls/s over all`,
    },
    ...rates.map((round) => costMeasure(`${round.perSecond} calls/s`, round)),
    ...sizes.map((round) => costMeasure(`${round.size.gateways} gateways and workers`, round)),
    ...pbxCounts.map((round) => costMeasure(`${round.size.pbxs} PBXs`, round)),
  ];
}

/** Cores of all that is ours, without calls, of each round. */
function idleOf(rounds: readonly SetUpRound[]): string {
  return rounds
    .map(({ idleCores }) => idleCores.gateways + idleCores.workers + idleCores.nats + idleCores.redis)
    .map((cores) => cores.toFixed(2))
    .join(', ');
}

/** A cost of callers who waited long is none to compare with. */
function mediansOf(rounds: readonly SetUpRound[]): string {
  return rounds.map(({ setUpMs }) => setUpMs.p50).join(', ');
}

function costMeasure(what: string, round: SetUpRound): Measure {
  return { what: `${what}: core-ms per call`, value: ownCost(round), unit: 'ms', how: lineOf(round) };
}

function lineOf(round: SetUpRound): string {
  const { p50, p99, longest } = round.setUpMs;
  return [
    `set-up p50 ${p50} p99 ${p99} longest ${longest} ms`,
    `${round.failed} of ${round.calls} failed`,
    costOf(round),
    `NATS ${round.storesPerCall.natsIn.toFixed(0)} messages in, ${round.storesPerCall.natsOut.toFixed(0)} out, Redis ${round.storesPerCall.redis.toFixed(0)} commands a call`,
    `all of it ${round.cores.toFixed(2)} cores, others ${round.othersCores.toFixed(2)}`,
  ].join('; ');
}
