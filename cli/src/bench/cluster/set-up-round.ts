import { setTimeout as wait } from 'node:timers/promises';
import { percentile } from '../../measurement.ts';
import { orderCalls } from '../../simulated-pbxs/control.ts';
import { watchCpu, watchOthers } from '../process-cpu.ts';
import {
  CLUSTER_PARTS,
  type ClusterPart,
  type ClusterPids,
  type ClusterSize,
  type ClusterUnderLoad,
} from './cluster-under-load.ts';
import { watchStores } from './store-operations.ts';

/** Callers at one rate, all of whom were answered or not, and what that cost. */
export interface SetUpRound {
  readonly size: ClusterSize;
  readonly perSecond: number;
  readonly calls: number;
  /** Not answered, given to the fallback, or not ended by the caller. */
  readonly failed: number;
  /** From the call to its answer, milliseconds, on the PBX's clock. */
  readonly setUpMs: { readonly p50: number; readonly p99: number; readonly longest: number };
  /** Calls a second that were carried through, from the first to the end of the last. */
  readonly carriedPerSecond: number;
  /** CPU milliseconds of each part for each call, without what it takes when there are no calls. */
  readonly coreMsPerCall: Readonly<Record<ClusterPart, number>>;
  readonly idleCores: IdleCores;
  /** Messages to and from NATS, and commands to Redis, for each call, those without calls included. */
  readonly storesPerCall: { readonly natsIn: number; readonly natsOut: number; readonly redis: number };
  /** Cores that everything of ours took, and everything else on this machine. */
  readonly cores: number;
  readonly othersCores: number;
}

const ENDED_LIMIT_MS = 20_000;
/** For records, journals and leases of the last calls. */
const SETTLE_MS = 500;
export const HOLD_MS = 500;

/** Cores that each part takes when there are no calls. */
export type IdleCores = Readonly<Record<ClusterPart, number>>;

const IDLE_MS = 3000;

export async function measureIdle({ pids }: ClusterUnderLoad): Promise<IdleCores> {
  await wait(SETTLE_MS);
  const used = watchParts(pids);
  await wait(IDLE_MS);
  const cpu = used();
  return perPart((part) => (cpu[part] * 1000) / IDLE_MS);
}

export async function measureSetUp(
  cluster: ClusterUnderLoad,
  perSecond: number,
  seconds: number,
  idle: IdleCores,
): Promise<SetUpRound> {
  const calls = Math.round(perSecond * seconds);
  const used = watchParts(cluster.pids);
  const others = watchOthers([...Object.values(cluster.pids).flat(), process.pid]);
  const stores = await watchStores(cluster);
  const startedAt = performance.now();
  const ordered = await orderCalls(cluster.pbxs, {
    ...{ count: calls, perSecond },
    call: { holdMs: HOLD_MS, giveUpAfterMs: 10_000, talk: { toneHz: 0 } },
  });
  const allEnded = await ordered.ended(seconds * 1000 + ENDED_LIMIT_MS);
  const carriedMs = performance.now() - startedAt - HOLD_MS;
  await wait(SETTLE_MS);
  const cpu = used();
  const othersCores = others();
  const tookMs = performance.now() - startedAt;
  const { natsIn, natsOut, redis } = await stores();
  const reports = await ordered.reports();
  if (!allEnded) await ordered.hangUp();
  const setUps = reports.flatMap(({ answeredAfterMs }) => answeredAfterMs ?? []);
  const good = reports.filter(({ answered, endedBy, fallback }) => answered && endedBy === 'caller' && !fallback);
  return {
    size: cluster.size,
    perSecond,
    calls,
    failed: calls - good.length,
    setUpMs: { p50: percentile(setUps, 0.5), p99: percentile(setUps, 0.99), longest: Math.max(...setUps) },
    carriedPerSecond: calls / (carriedMs / 1000),
    coreMsPerCall: perPart((part) => (cpu[part] * 1000 - idle[part] * tookMs) / calls),
    idleCores: idle,
    storesPerCall: {
      natsIn: natsIn / calls,
      natsOut: natsOut / calls,
      redis: Object.values(redis).reduce((sum, count) => sum + count, 0) / calls,
    },
    cores: (1000 * CLUSTER_PARTS.reduce((sum, part) => sum + cpu[part], 0)) / tookMs,
    othersCores,
  };
}

/** CPU seconds of each part, all its processes together, since it was called. */
export function watchParts(pids: ClusterPids): () => Record<ClusterPart, number> {
  const watched = perPart((part) => pids[part].map((pid) => watchCpu({ pid })));
  return () => perPart((part) => watched[part].reduce((sum, used) => sum + used().pid, 0));
}

export function perPart<T>(of: (part: ClusterPart) => T): Record<ClusterPart, T> {
  return Object.fromEntries(CLUSTER_PARTS.map((part) => [part, of(part)])) as Record<ClusterPart, T>;
}

/** What a call cost, in words. */
export function costOf({ coreMsPerCall }: Pick<SetUpRound, 'coreMsPerCall'>): string {
  return `core-ms a call: ${CLUSTER_PARTS.map((part) => `${part} ${coreMsPerCall[part].toFixed(2)}`).join(', ')}`;
}

/** Core-ms of a call in what is Callfleet: gateways, workers, NATS and Redis, without the PBXs. */
export function ownCost({ coreMsPerCall }: Pick<SetUpRound, 'coreMsPerCall'>): number {
  return CLUSTER_PARTS.reduce((sum, part) => (part === 'pbxs' ? sum : sum + coreMsPerCall[part]), 0);
}
