import { type CommandReply, commandRefusals, originateRefusals, type PbxState, pbxStates } from '@callfleet/bus';
import { meter, Tally, watchGauges } from '@callfleet/telemetry';
import type { Attributes } from '@opentelemetry/api';
import { type CommandClass, commandClasses } from '../names/command-class.ts';
import type { Shard } from '../names/shard.ts';

const filedFor = ['new', 'worker-gone', 'worker-stops', 'gateway-gone'] as const;
/** Why a call was offered. */
export type FiledFor = (typeof filedFor)[number];

export const filedOffers = new Tally(
  'callfleet.offers.filed',
  { description: 'Offers filed for workers, by why', unit: '{offer}', attribute: 'callfleet.reason' },
  filedFor,
);

const WAIT_MS = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000];

const offerWait = meter.createHistogram('callfleet.offer.wait.duration', {
  description: 'From the filing of an offer to the claim of its call',
  unit: 'ms',
  advice: { explicitBucketBoundaries: WAIT_MS },
});

const callSetup = meter.createHistogram('callfleet.call.setup.duration', {
  description: "From a call's StasisStart to its answer, on its PBX's clock",
  unit: 'ms',
  advice: { explicitBucketBoundaries: WAIT_MS },
});

const socketLag = meter.createHistogram('callfleet.shard.socket.lag', {
  description: 'How much later than the quickest an event of a shard was read',
  unit: 'ms',
  advice: { explicitBucketBoundaries: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
});

export const givenBackCalls = new Tally(
  'callfleet.calls.given_back',
  { description: 'Calls given back to the dialplan, by why', unit: '{call}', attribute: 'callfleet.reason' },
  ['not-claimed', 'draining', 'left'],
);

const refusedCommands = new Tally(
  'callfleet.commands.refused',
  { description: 'Commands not executed, or not known to be, by code', unit: '{command}', attribute: 'callfleet.code' },
  commandRefusals,
);

/** By what the gateway said to who asked for the call. */
export const refusedOriginations = new Tally(
  'callfleet.originations.refused',
  { description: 'Calls that were to be placed and were not, by code', unit: '{call}', attribute: 'callfleet.code' },
  originateRefusals,
);

export const refusedDialIns = new Tally(
  'callfleet.dial_ins.refused',
  {
    description: 'Connections to gateway.listen that were turned away, by why',
    unit: '{connection}',
    attribute: 'callfleet.reason',
  },
  ['not-http', 'not-websocket', 'not-ari', 'unauthorized', 'full'],
);

export const repeatedCommands = meter.createCounter('callfleet.commands.repeated', {
  description: 'Commands that came again and were answered from memory',
  unit: '{command}',
});
repeatedCommands.add(0);

const commandDuration = meter.createHistogram('callfleet.command.duration', {
  description: 'A command at its PBX',
  unit: 'ms',
  advice: { explicitBucketBoundaries: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
});

const openings = meter.createCounter('callfleet.breaker.openings', {
  description: 'Times that a class of commands was cut off from a PBX that failed them',
  unit: '{opening}',
});

const reconnects = meter.createCounter('callfleet.shard.reconnects', {
  description: "Times that a shard's lost event socket was made again",
  unit: '{connection}',
});

const mirrorFailures = meter.createCounter('callfleet.mirror.subscriptions.failed', {
  description: 'Channels and bridges that a mirror is not told of',
  unit: '{subscription}',
});

const replayedEvents = meter.createCounter('callfleet.mirror.replayed', {
  description: "Events of a dead gateway's shard that only the mirror had",
  unit: '{event}',
});

export function measureOfferWait(reason: FiledFor, ms: number): void {
  offerWait.record(ms, { 'callfleet.reason': reason });
}

/** @param from, to ISO 8601 */
export function measureSetup(pbx: string, from: string, to: string): void {
  callSetup.record(Date.parse(to) - Date.parse(from), { 'callfleet.pbx': pbx });
}

/** @returns records one event's */
export function lagRecorder(shard: Shard): (ms: number) => void {
  const attributes = attributesOf(shard);
  return (ms) => socketLag.record(ms, attributes);
}

/** Offers of one shard that no worker has claimed yet. */
interface WaitingOffers {
  readonly pool: string;
  /** So long each has waited, milliseconds; those of callers who hung up are not among them. */
  waits(): Iterable<number>;
}

const waitingOffers = new Set<WaitingOffers>();

watchGauges(
  {
    count: { name: 'callfleet.offers.waiting', description: 'Offers that no worker has claimed yet', unit: '{offer}' },
    oldest: { name: 'callfleet.offers.oldest_wait', description: 'How long the oldest of them has waited', unit: 'ms' },
  },
  (observe) => {
    const pools = new Map<string, number[]>();
    for (const { pool, waits } of waitingOffers) pools.set(pool, [...(pools.get(pool) ?? []), ...waits()]);
    for (const [pool, waits] of pools) {
      const attributes = { 'callfleet.pool': pool };
      observe('count', waits.length, attributes);
      observe('oldest', Math.max(0, ...waits), attributes);
    }
  },
);

/** @returns ends it */
export function watchOffers(offers: WaitingOffers): () => void {
  waitingOffers.add(offers);
  return () => waitingOffers.delete(offers);
}

/** @returns the reply */
export function countRefusal(reply: CommandReply): CommandReply {
  if (!reply.ok) refusedCommands.count(reply.code);
  return reply;
}

/** Refused without having been sent to the PBX. */
export function isNotSent(reply: CommandReply): boolean {
  return !reply.ok && reply.code !== 'CF_PBX_NO_ANSWER' && reply.code !== 'CF_PBX_CONNECTION_LOST';
}

/** Measures how long the PBX takes, the wait for its turn included. @returns the reply */
export function measureCommand(
  { method, route }: { method: string; route: string },
  reply: Promise<CommandReply>,
): Promise<CommandReply> {
  const from = performance.now();
  const record = (statusClass: string) =>
    commandDuration.record(performance.now() - from, {
      'http.request.method': method,
      'http.route': route,
      'callfleet.status_class': statusClass,
    });
  reply.then(
    (known) => {
      if (!isNotSent(known)) record(known.ok ? `${Math.floor(known.status / 100)}xx` : 'none');
    },
    () => record('none'),
  );
  return reply;
}

const attributesOf = ({ pbx, shard }: Shard): Attributes => ({ 'callfleet.pbx': pbx, 'callfleet.shard': shard });

/** Counts the connections of one shard's event socket. @returns to be called for each */
export function connectionCounter(shard: Shard): () => void {
  const attributes = attributesOf(shard);
  let isFirst = true;
  reconnects.add(0, attributes);
  return () => {
    if (!isFirst) reconnects.add(1, attributes);
    isFirst = false;
  };
}

/** A rate needs the count before the first. */
export function beginMirrorCounts(shard: Shard): void {
  mirrorFailures.add(0, attributesOf(shard));
  replayedEvents.add(0, attributesOf(shard));
}

export function countMirrorFailure(shard: Shard): void {
  mirrorFailures.add(1, attributesOf(shard));
}

export function countReplayed(shard: Shard, events: number): void {
  replayedEvents.add(events, attributesOf(shard));
}

export function watchMirrors(
  mirrors: () => Iterable<Shard & { readonly connected: boolean; readonly length: number }>,
): void {
  watchGauges(
    {
      connected: {
        name: 'callfleet.mirror.connected',
        description: "1 while the mirror of another gateway's shard stands",
        unit: '1',
      },
      events: { name: 'callfleet.mirror.events', description: 'Events that the mirror keeps', unit: '{event}' },
    },
    (observe) => {
      for (const mirror of mirrors()) {
        observe('connected', mirror.connected, attributesOf(mirror));
        observe('events', mirror.length, attributesOf(mirror));
      }
    },
  );
}

/** A shard in this gateway's hands. */
export interface HeldShard extends Shard {
  readonly connected: boolean;
  /** Calls on it that have not ended. */
  readonly calls: number;
}

export function watchShards(held: () => Iterable<HeldShard>): void {
  watchGauges(
    {
      connected: {
        name: 'callfleet.shard.connected',
        description: '1 while the event socket of a shard that this gateway holds stands',
        unit: '1',
      },
      calls: { name: 'callfleet.shard.calls', description: 'Calls on a shard that this gateway holds', unit: '{call}' },
    },
    (observe) => {
      for (const shard of held()) {
        observe('connected', shard.connected, attributesOf(shard));
        observe('calls', shard.calls, attributesOf(shard));
      }
    },
  );
}

interface GuardedPbx {
  readonly pbx: string;
  /** Commands that wait for their turn. */
  readonly waiting: number;
  isOpen(commandClass: CommandClass): boolean;
}

const breakerAttributes = (pbx: string, commandClass: CommandClass): Attributes => ({
  'callfleet.pbx': pbx,
  'callfleet.command_class': commandClass,
});

export function countOpening(pbx: string, commandClass: CommandClass): void {
  openings.add(1, breakerAttributes(pbx, commandClass));
}

/** A rate needs the count before the first opening. */
export function beginOpenings(pbx: string): void {
  for (const commandClass of commandClasses) openings.add(0, breakerAttributes(pbx, commandClass));
}

/** @param guards those of the PBXs that are in the configuration now */
export function watchGuards(guards: () => readonly GuardedPbx[]): void {
  watchGauges(
    {
      open: {
        name: 'callfleet.breaker.open',
        description: '1 while a class of commands is cut off from a PBX',
        unit: '1',
      },
      waiting: {
        name: 'callfleet.commands.waiting',
        description: 'Commands that wait for their turn at a PBX',
        unit: '{command}',
      },
    },
    (observe) => {
      for (const guard of guards()) {
        observe('waiting', guard.waiting, { 'callfleet.pbx': guard.pbx });
        for (const commandClass of commandClasses)
          observe('open', guard.isOpen(commandClass), breakerAttributes(guard.pbx, commandClass));
      }
    },
  );
}

export function watchPbxs(statuses: () => Iterable<{ readonly pbx: string; readonly state: PbxState }>): void {
  watchGauges(
    { state: { name: 'callfleet.pbx.state', description: '1 for the state that a PBX is in', unit: '1' } },
    (observe) => {
      for (const { pbx, state } of statuses())
        for (const one of pbxStates)
          observe('state', one === state, { 'callfleet.pbx': pbx, 'callfleet.pbx_state': one });
    },
  );
}
