import Table from 'cli-table3';
import { COSTS } from './costs.ts';
import { type Load, planFor } from './plan.ts';

export interface CapacityOptions {
  calls: number;
  /** Default: so many that each is there for three minutes. */
  callsPerSecond?: number;
  audioShare: number;
  aiShare: number;
  eventsPerCall: number;
  json: boolean;
}

const CALL_S = 180;

/** `capacity`: cores, memory, NATS, Redis and network that a load takes. */
export function capacityCommand({ json, callsPerSecond, ...rest }: CapacityOptions): void {
  const load: Load = { ...rest, callsPerSecond: callsPerSecond ?? rest.calls / CALL_S };
  const plan = planFor(load);
  if (json) {
    console.log(JSON.stringify({ load, plan, costs: COSTS }, null, 2));
    return;
  }
  const style = { head: [], border: [], compact: true };
  const table = new Table({ head: ['part', 'how many', 'cores busy', 'memory'], style });
  for (const { part, count, cores, memoryMiB } of plan.parts)
    table.push([
      part,
      count,
      Number.isNaN(cores) ? 'not ours' : cores.toFixed(2),
      Number.isNaN(memoryMiB) ? '' : `${(memoryMiB / 1024).toFixed(1)} GiB`,
    ]);
  console.log(
    `${load.calls} calls at once, ${Number(load.callsPerSecond.toPrecision(3))} new ones a second, ${load.audioShare * 100} % with audio, ${load.aiShare * 100} % of those with a voice AI, ${load.eventsPerCall} events each`,
  );
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
  console.log('what is measured of this, and what is assumed: docs/capacity.md');
}
