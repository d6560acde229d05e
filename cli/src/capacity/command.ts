import Table from 'cli-table3';
import { COSTS } from './costs.ts';
import { type CapacityPlan, type Load, loadOfRegion, planFor } from './plan.ts';
import { type Simulation, simulate } from './simulate.ts';

export interface CapacityOptions {
  calls: number;
  /** Default: so many that each is there for three minutes. */
  callsPerSecond?: number;
  audioShare: number;
  aiShare: number;
  eventsPerCall: number;
  /** Each with a fleet, NATS and Redis of its own. */
  regions: number;
  /** Plays it event by event, too. */
  simulate: boolean;
  json: boolean;
}

const CALL_S = 180;

/** `capacity`: cores, memory, NATS, Redis and network that a load takes. */
export function capacityCommand({
  json,
  simulate: isSimulated,
  regions,
  callsPerSecond,
  ...rest
}: CapacityOptions): void {
  const total: Load = { ...rest, callsPerSecond: callsPerSecond ?? rest.calls / CALL_S };
  const load = loadOfRegion(total, regions);
  const plan = planFor(load);
  const simulation = isSimulated ? simulate(load, fleetOf(plan)) : undefined;
  if (json) {
    console.log(JSON.stringify({ load, regions, plan, ...(simulation && { simulation }), costs: COSTS }, null, 2));
    return;
  }
  console.log(
    `${Math.round(load.calls)} calls at once, ${Number(load.callsPerSecond.toPrecision(3))} new ones a second, ${load.audioShare * 100} % with audio, ${load.aiShare * 100} % of those with a voice AI, ${load.eventsPerCall} events each`,
  );
  if (regions > 1)
    console.log(
      `in each of ${regions} regions, of which one may be lost: all of this ${regions} times, for ${total.calls} calls`,
    );
  tellPlan(plan);
  if (simulation) tellSimulation(simulation, plan);
  console.log('what is measured of this, and what is assumed: docs/capacity.md');
}

const STYLE = { head: [], border: [], compact: true };

function tellPlan(plan: CapacityPlan): void {
  const table = new Table({ head: ['part', 'how many', 'cores busy', 'memory'], style: STYLE });
  for (const { part, count, cores, memoryMiB } of plan.parts)
    table.push([
      part,
      count,
      Number.isNaN(cores) ? 'not ours' : cores.toFixed(2),
      Number.isNaN(memoryMiB) ? '' : `${(memoryMiB / 1024).toFixed(1)} GiB`,
    ]);
  console.log(table.toString());
  const { rtp, ai, nats } = plan.network;
  console.log(
    `NATS ${Math.round(plan.natsMessagesPerSecond)} messages/s, Redis ${Math.round(plan.redisCommandsPerSecond)} commands/s`,
  );
  console.log(
    `network: audio of PBXs ${rtp.toFixed(0)} Mbit/s, voice AIs ${ai.toFixed(0)} Mbit/s, NATS ${nats.toFixed(0)} Mbit/s`,
  );
  for (const { what, share, remedy } of plan.limits)
    console.log(`${(share * 100).toFixed(0)} % of ${what}${share > 0.7 ? `; then: ${remedy}` : ''}`);
}

function tellSimulation({ cores, fullest, setUpMs, ...calls }: Simulation, plan: CapacityPlan): void {
  const { gateways, workers } = fleetOf(plan);
  const idle = { gateways: gateways * COSTS.gatewayCoresIdle.value, workers: workers * COSTS.workerCoresIdle.value };
  const table = new Table({ head: ['simulated', 'cores busy', 'fullest process'], style: STYLE });
  const rows = [
    ['gateways', cores.gateways + idle.gateways, fullest.gateways],
    ['workers', cores.workers + idle.workers, fullest.workers],
    ['NATS', cores.nats, fullest.nats],
    ['Redis', cores.redis, fullest.redis],
  ] as const;
  for (const [part, busy, full] of rows) table.push([part, busy.toFixed(2), `${(full * 100).toFixed(0)} %`]);
  console.log(table.toString());
  console.log(
    `set-up p50 ${setUpMs.p50.toFixed(1)} ms, p99 ${setUpMs.p99.toFixed(1)} ms, without PBX and network; ${calls.refused} of ${calls.calls} calls refused for want of room; at most ${calls.mostCallsOfWorker} calls on a worker`,
  );
}

function fleetOf({ parts }: CapacityPlan) {
  const countOf = (name: string) => parts.find(({ part }) => part === name)?.count ?? 0;
  return { gateways: countOf('gateways'), workers: countOf('workers'), nats: countOf('NATS'), redis: countOf('Redis') };
}
