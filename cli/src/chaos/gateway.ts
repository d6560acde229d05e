import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Bus, type CallRecord, callHistory, connectBus } from '@callfleet/bus';
import { partsOfCallId } from '@callfleet/identity';
import { dialplanFor } from '@callfleet/pbx';
import { installParts, type LocalFleet, placeLocalCall, startLocalFleet } from '@callfleet/testkit';
import { CallRecords } from '../call-records.ts';
import { percentile } from '../measurement.ts';
import { serviceMain } from '../repository.ts';
import { tellVerdict } from '../verdict.ts';
import { PbxWitness, unpublished } from './pbx-witness.ts';
import { TYPED, TYPING_CONTEXT, typingContext } from './typing-caller.ts';

const CALLS_PER_SECOND = 20;
const LOAD_MS = 60_000;
const FIRST_KILL_MS = 5000;
const KILL_EVERY_MS = 10_000;
const FIRST_CALLER = 40_000;
const SHARDS = ['callfleet-1', 'callfleet-2'];
/** After the last call was placed: until its caller has hung up, and its record is written. */
const LAST_CALLS_MS = 15_000;
const RESUME_LIMIT_MS = 30_000;
const POLL_MS = 20;
const READ_AT_ONCE = 8;

/** One kill -9, and how long until a gateway took the commands of all shards again, milliseconds. */
interface Kill {
  readonly gateway: string;
  readonly resumedMs: number;
}

interface CallOutcome {
  readonly caller: string;
  /** No gateway took it: the dialplan sent it to the fallback. */
  readonly isSentAway: boolean;
  /** Why the call is lost; undefined of one that came to its end as it should. */
  readonly lost: string | undefined;
  /** What Asterisk told the witness of the call's channel, and what of it is not in the stream. */
  readonly events: number;
  readonly eventsLost: number;
  /** Digits: that Asterisk told, and that the program was told. */
  readonly pressed: number;
  readonly heard: number;
}

/** `chaos gateway`: kill -9 of a gateway each ten seconds, under calls that come and press digits. @returns the exit code */
export async function chaosGateway(): Promise<number> {
  await installParts((step) => console.log(`callfleet: ${step}`));
  const system = await startLocalFleet({
    serviceMain,
    dialplan: (options) => `${dialplanFor(options)}${typingContext()}`,
    programs: [
      {
        name: 'listening',
        file: fileURLToPath(new URL('./listening-call.ts', import.meta.url)),
        extensions: ['_4XXXX'],
      },
    ],
    config: { telemetry: { level: 'silent' } },
    onProgress: (step) => console.log(`callfleet: ${step}`),
    onLine: (name, line) => console.log(`${name}: ${line}`),
  });
  const bus = await connectBus({ servers: [system.nats.url], name: 'chaos' });
  const witnesses = await Promise.all(system.pbxs.map((pbx) => PbxWitness.watch(pbx)));
  try {
    const records = new CallRecords(bus);
    const load = new AbortController();
    const placing = placeCalls(system, load.signal);
    const kills = await killGateways(system, bus);
    load.abort();
    const placed = await placing;
    await wait(LAST_CALLS_MS);
    const outcomes = await readOutcomes(placed, records, bus, witnesses);
    return await report(kills, outcomes, placed.callers.length - outcomes.length);
  } finally {
    await Promise.all(witnesses.map((witness) => witness.close()));
    await bus.close();
    await system.stop();
  }
}

interface Placed {
  readonly callers: readonly string[];
  /** Of these the PBX did not say in time that they are there; they may be, or not. */
  readonly doubtful: ReadonlySet<string>;
}

/** On each PBX in turn. */
async function placeCalls(system: LocalFleet, stop: AbortSignal): Promise<Placed> {
  const callers: string[] = [];
  const doubtful = new Set<string>();
  const from = performance.now();
  const underWay: Promise<void>[] = [];
  while (!stop.aborted) {
    while (callers.length < ((performance.now() - from) * CALLS_PER_SECOND) / 1000) {
      const pbx = system.pbxs[callers.length % system.pbxs.length];
      if (!pbx) throw new Error('no PBX');
      const caller = String(FIRST_CALLER + callers.length);
      callers.push(caller);
      const placing = placeLocalCall(pbx, { extension: caller, from: caller, context: TYPING_CONTEXT });
      underWay.push(placing.catch(() => void doubtful.add(caller)));
    }
    await wait(POLL_MS);
  }
  await Promise.all(underWay);
  return { callers, doubtful };
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

async function readOutcomes(
  { callers, doubtful }: Placed,
  records: CallRecords,
  bus: Bus,
  witnesses: readonly PbxWitness[],
): Promise<CallOutcome[]> {
  const outcomes: CallOutcome[] = [];
  const rest = await Promise.all(callers.map(async (caller) => ({ caller, record: await records.of(caller) })));
  const readOn = async () => {
    for (let next = rest.shift(); next; next = rest.shift())
      // A call that the PBX never made is not the fleet's to lose.
      if (next.record || !doubtful.has(next.caller))
        outcomes.push(await outcomeOf(next.caller, next.record, bus, witnesses));
  };
  await Promise.all(Array.from({ length: READ_AT_ONCE }, readOn));
  return outcomes;
}

async function outcomeOf(
  caller: string,
  record: CallRecord | undefined,
  bus: Bus,
  witnesses: readonly PbxWitness[],
): Promise<CallOutcome> {
  const isSentAway = witnesses.some(({ sentAway }) => sentAway.has(caller));
  if (!record) {
    const lost = isSentAway ? undefined : 'no record';
    return { caller, isSentAway, lost, events: 0, eventsLost: 0, pressed: 0, heard: 0 };
  }
  // The schema knows a call's id by its shape alone.
  const call = record.call as Parameters<typeof callHistory>[1];
  const witness = witnesses.find(({ pbx }) => pbx === record.pbx);
  const seen = witness?.seenOf(partsOfCallId(call)?.channelId ?? '', Date.parse(record.enteredAt)) ?? [];
  const missing = unpublished(seen, await callHistory(bus, call));
  const pressed = seen.filter(({ type }) => type === 'ChannelDtmfReceived').length;
  return {
    caller,
    isSentAway,
    lost: whyLost(record, pressed),
    events: seen.length,
    eventsLost: missing.length,
    pressed,
    heard: record.digits ?? 0,
  };
}

function whyLost({ endedBy, error, status }: CallRecord, pressed: number): string | undefined {
  if (error) return `${error.code}: ${error.message}`;
  if (endedBy !== 'caller') return `ended by ${endedBy} ${status ?? ''}`;
  return pressed < TYPED.length ? 'cut off before the caller hung up' : undefined;
}

function report(kills: readonly Kill[], outcomes: readonly CallOutcome[], notMade: number): Promise<number> {
  const sum = (of: (outcome: CallOutcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const lost = outcomes.filter((outcome) => outcome.lost !== undefined);
  for (const { caller, lost: why } of lost.slice(0, 10))
    console.log(`callfleet: the call of ${caller} is lost: ${why}`);
  const resumed = kills.map(({ resumedMs }) => resumedMs);
  const events = sum((outcome) => outcome.events);
  const digits = sum((outcome) => outcome.pressed);
  return tellVerdict(
    'chaos gateway',
    [
      {
        what: 'calls lost',
        target: { atMost: 0 },
        value: lost.length,
        unit: '',
        how: `of ${outcomes.length}: no record, an error, or ended by other than its caller; ${notMade} more the PBX did not make`,
      },
      {
        what: 'callers sent to the fallback',
        target: { atMost: 0 },
        value: outcomes.filter(({ isSentAway }) => isSentAway).length,
        unit: '',
        how: 'no gateway had a shard of their PBX, or one gave them back',
      },
      {
        what: 'events lost',
        target: { atMost: 0 },
        value: sum((outcome) => outcome.eventsLost),
        unit: '',
        how: `of ${events} that Asterisk told`,
      },
      {
        what: 'digits lost',
        target: { atMost: 0 },
        value: digits - sum((outcome) => outcome.heard),
        unit: '',
        how: `of ${digits} that Asterisk told, by the call records`,
      },
      {
        what: 'longest time to resume',
        value: Math.max(...resumed),
        unit: 'ms',
        how: `${kills.length} kills; median ${Math.round(percentile(resumed, 0.5))} ms; until commands of all shards are taken`,
      },
    ],
    { raw: { kills, outcomes }, check: true },
  );
}
