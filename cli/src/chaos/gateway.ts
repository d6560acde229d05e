import { setTimeout as wait } from 'node:timers/promises';
import type { Bus } from '@callfleet/bus';
import type { LocalFleet } from '@callfleet/testkit';
import { percentile } from '../measurement.ts';
import { tellVerdict } from '../verdict.ts';
import { type CallOutcome, type JudgedCall, lossMeasures, readOutcomes, whyCutShort } from './call-outcome.ts';
import { withWitnessedFleet } from './chaos-fleet.ts';
import { placeTypingCallers } from './typing-callers.ts';

const CALLS_PER_SECOND = 20;
/** One caller in so many talks to a bot: a kill finds their media legs half made. */
const TALKING_EVERY = 10;
/** Another takes a dead one's shards over within this, milliseconds. */
const TAKEOVER_LIMIT_MS = 1000;
const LOAD_MS = 60_000;
const FIRST_KILL_MS = 5000;
const KILL_EVERY_MS = 10_000;
const FIRST_CALLER = 40_000;
const SHARDS = ['callfleet-1', 'callfleet-2'];
/** After the last call was placed: until its caller has hung up, and its record is written. */
const LAST_CALLS_MS = 15_000;
const RESUME_LIMIT_MS = 30_000;
const POLL_MS = 20;

/** One kill -9, and how long until a gateway took the commands of all shards again, milliseconds. */
interface Kill {
  readonly gateway: string;
  readonly resumedMs: number;
}

/**
 * `chaos gateway`: kill -9 of a gateway each ten seconds, under calls that come and press digits. Without the mirror it shows what that
 * costs: events and digits have no target.
 *
 * @returns the exit code
 */
export async function chaosGateway({ mirror }: { mirror: boolean }): Promise<number> {
  return withWitnessedFleet({ config: { gateway: { mirror } } }, async (system, bus, witnesses) => {
    const load = new AbortController();
    const callers = { first: FIRST_CALLER, perSecond: CALLS_PER_SECOND, talkingEvery: TALKING_EVERY };
    const placing = placeTypingCallers(system, callers, load.signal);
    const kills = await killGateways(system, bus);
    load.abort();
    const placed = await placing;
    await wait(LAST_CALLS_MS);
    const outcomes = await readOutcomes(placed, bus, witnesses, whyLost);
    return report({ mirror, kills, outcomes, notMade: placed.callers.length - outcomes.length });
  });
}

async function killGateways(system: LocalFleet, bus: Bus): Promise<Kill[]> {
  const kills: Kill[] = [];
  const from = performance.now();
  const alive = [...system.fleet.gateways];
  for (let at = FIRST_KILL_MS; at < LOAD_MS; at += KILL_EVERY_MS) {
    await wait(Math.max(0, at - (performance.now() - from)));
    const gateway = alive.shift();
    if (!gateway) throw new Error('no gateway');
    const killedAt = performance.now();
    await gateway.kill();
    // The supervisor's part. The one that comes back has nothing of what the dead one knew.
    const restarted = system.fleet.addGateway(gateway.name);
    const resumedMs = await untilTaken(system, bus, killedAt);
    kills.push({ gateway: gateway.name, resumedMs });
    alive.push(await restarted);
    console.log(`callfleet: kill -9 ${gateway.name}: all shards taken again after ${Math.round(resumedMs)} ms`);
  }
  await wait(Math.max(0, LOAD_MS - (performance.now() - from)));
  return kills;
}

/** @returns how long after `since` the commands of all shards are taken */
async function untilTaken(system: LocalFleet, bus: Bus, since: number): Promise<number> {
  for (const { name } of system.pbxs)
    for (const shard of SHARDS)
      while (!(await isTaken(bus, name, shard)) && performance.now() - since < RESUME_LIMIT_MS) await wait(POLL_MS);
  return performance.now() - since;
}

function isTaken(bus: Bus, pbx: string, shard: string): Promise<boolean> {
  return bus.nc.request(`cf.cmd.${pbx}.${shard}`, '{}', { timeout: 1000 }).then(
    () => true,
    () => false,
  );
}

function whyLost({ record, isSentAway, pressed }: CallOutcome): string | undefined {
  // No gateway took it.
  if (!record) return isSentAway ? undefined : 'no record';
  return whyCutShort(record, pressed);
}

interface Found {
  readonly mirror: boolean;
  readonly kills: readonly Kill[];
  readonly outcomes: readonly JudgedCall[];
  /** Calls that the PBXs did not make. */
  readonly notMade: number;
}

function report({ mirror, kills, outcomes, notMade }: Found): Promise<number> {
  const resumed = kills.map(({ resumedMs }) => resumedMs);
  const losses = lossMeasures(
    outcomes,
    `no record, an error, or ended by other than its caller; ${notMade} more the PBX did not make`,
  );
  const [calls, ...ofCalls] = losses;
  const perKill = ofCalls.map(({ what, value, how }) => ({
    what: `${what} per kill`,
    value: value / kills.length,
    unit: '',
    how,
  }));
  return tellVerdict(
    mirror ? 'chaos gateway' : 'chaos gateway-without-mirror',
    [
      ...(mirror || !calls ? losses : [calls, ...perKill]),
      {
        what: 'callers sent to the fallback',
        target: { atMost: 0 },
        value: outcomes.filter(({ isSentAway }) => isSentAway).length,
        unit: '',
        how: 'no gateway had a shard of their PBX, or one gave them back',
      },
      {
        what: 'longest time to resume',
        target: { atMost: TAKEOVER_LIMIT_MS },
        value: Math.max(...resumed),
        unit: 'ms',
        how: `${kills.length} kills; median ${Math.round(percentile(resumed, 0.5))} ms; until commands of all shards are taken`,
      },
    ],
    { raw: { kills, outcomes }, check: true },
  );
}
