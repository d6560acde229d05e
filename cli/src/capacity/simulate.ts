import TinyQueue from 'tinyqueue';
import { percentile } from '../measurement.ts';
import { COSTS } from './costs.ts';
import type { Load } from './plan.ts';
import { Station } from './stations.ts';

/** How many of each there are. */
export interface SimulatedFleet {
  readonly gateways: number;
  readonly workers: number;
  /** Servers, each of them with the threads that {@link COSTS} says. */
  readonly nats: number;
  readonly redis: number;
}

export interface Simulation {
  /** Cores that were busy with calls and events, of all of a part together. */
  readonly cores: Readonly<Record<SimulatedPart, number>>;
  /** How full the fullest process of a part was: 1 is all the time. */
  readonly fullest: Readonly<Record<SimulatedPart, number>>;
  /** From the call's coming to its answer, without what the PBX and the network take; milliseconds. */
  readonly setUpMs: { readonly p50: number; readonly p99: number };
  /** Calls that came when no worker had room, of `calls` that came. */
  readonly refused: number;
  readonly calls: number;
  /** The most that one worker had at once. */
  readonly mostCallsOfWorker: number;
}

const SIMULATED_PARTS = ['gateways', 'workers', 'nats', 'redis'] as const;
type SimulatedPart = (typeof SIMULATED_PARTS)[number];

interface Step {
  readonly part: SimulatedPart;
  /** Of what a call costs that part. */
  readonly share: number;
}

const step = (part: SimulatedPart, share: number): Step => ({ part, share });

/**
 * A call's way through the control plane, as docs/architecture.md walks it, and what of its cost falls where: assumed, by the
 * number of messages at each step.
 */
export const CALL_STEPS: Readonly<Record<'setUp' | 'answered' | 'end', readonly Step[]>> = {
  // Told of and offered; taken, leased, its journal opened; the command to answer, there and to the PBX.
  setUp: [
    step('gateways', 0.3),
    step('nats', 0.25),
    step('workers', 0.25),
    step('redis', 0.7),
    step('nats', 0.15),
    step('workers', 0.1),
    step('nats', 0.1),
    step('gateways', 0.2),
  ],
  answered: [step('gateways', 0.15), step('nats', 0.15), step('workers', 0.25)],
  end: [step('gateways', 0.35), step('nats', 0.35), step('workers', 0.4), step('redis', 0.3)],
};
const EVENT_STEPS: readonly Step[] = [step('gateways', 1), step('nats', 1), step('workers', 1)];

const CALL_MS: Readonly<Record<SimulatedPart, number>> = {
  gateways: COSTS.gatewayMsPerCall.value,
  workers: COSTS.workerMsPerCall.value,
  nats: COSTS.natsMsPerCall.value,
  redis: COSTS.redisMsPerCall.value,
};
const EVENT_MS: Readonly<Record<SimulatedPart, number>> = {
  gateways: COSTS.gatewayMsPerEvent.value,
  workers: COSTS.workerMsPerEvent.value,
  nats: COSTS.natsMsPerEvent.value,
  redis: 0,
};

/** Something under way from part to part. */
interface Journey {
  /** When it is at its next step, milliseconds. */
  at: number;
  /** Which of the steps is next. */
  next: number;
  readonly steps: readonly Step[];
  readonly ms: Readonly<Record<SimulatedPart, number>>;
  readonly gateway: number;
  readonly worker: number;
  readonly onThrough?: (at: number) => void;
}

/**
 * A fleet that has its calls already, for `seconds` of its life, event by event: calls and events come when they like (Poisson), each step
 * takes what it was measured to take on average (exponentially spread), and waits for the process that is to do it. What the arithmetic
 * of {@link planFor} can't show: who waits, and for how long.
 *
 * @param random 0 to 1
 */
export function simulate(
  load: Load,
  fleet: SimulatedFleet,
  { seconds = 20, random = Math.random }: { seconds?: number; random?: () => number } = {},
): Simulation {
  const endMs = seconds * 1000;
  const threadsOf = (servers: number, threads: number) => [new Station(servers * threads)];
  const stations: Readonly<Record<SimulatedPart, readonly Station[]>> = {
    gateways: Array.from({ length: fleet.gateways }, () => new Station(1)),
    workers: Array.from({ length: fleet.workers }, () => new Station(1)),
    nats: threadsOf(fleet.nats, COSTS.natsThreadsPerServer.value),
    redis: threadsOf(fleet.redis, 1),
  };
  const spread = (mean: number) => -Math.log(1 - random()) * mean;
  const any = (count: number) => Math.floor(random() * count);

  const rooms = new WorkerRooms(fleet.workers, COSTS.callsPerWorker.value);
  for (let n = 0; n < load.calls; n += 1) rooms.take();
  const journeys = new TinyQueue<Journey>([], (a, b) => a.at - b.at);
  const setUps: number[] = [];
  let calls = 0;
  let refused = 0;

  const begin = (at: number): void => {
    calls += 1;
    const worker = rooms.take();
    if (worker === undefined) {
      refused += 1;
      return;
    }
    const of = { ms: CALL_MS, gateway: any(fleet.gateways), worker };
    const onThrough = (answeredAt: number) => {
      setUps.push(answeredAt - at);
      journeys.push({ ...of, at: answeredAt, next: 0, steps: CALL_STEPS.answered });
    };
    journeys.push({ ...of, at, next: 0, steps: CALL_STEPS.setUp, onThrough });
  };
  const end = (at: number): void => {
    const worker = rooms.leave(random());
    if (worker === undefined) return;
    journeys.push({ ms: CALL_MS, gateway: any(fleet.gateways), worker, at, next: 0, steps: CALL_STEPS.end });
  };
  const event = (at: number): void => {
    const [gateway, worker] = [any(fleet.gateways), any(fleet.workers)];
    journeys.push({ ms: EVENT_MS, gateway, worker, at, next: 0, steps: EVENT_STEPS });
  };
  const sources = [
    { perSecond: load.callsPerSecond, happen: begin },
    { perSecond: load.callsPerSecond, happen: end },
    { perSecond: load.callsPerSecond * load.eventsPerCall, happen: event },
  ];
  const due = new TinyQueue(
    sources
      .filter(({ perSecond }) => perSecond > 0)
      .map((source) => ({ ...source, at: spread(1000 / source.perSecond) })),
    (a, b) => a.at - b.at,
  );

  for (;;) {
    const [source, journey] = [due.peek(), journeys.peek()];
    if (source && source.at <= endMs && source.at <= (journey?.at ?? Number.POSITIVE_INFINITY)) {
      due.pop();
      source.happen(source.at);
      due.push({ ...source, at: source.at + spread(1000 / source.perSecond) });
    } else if (journey) {
      journeys.pop();
      goOn(journey);
    } else break;
  }

  function goOn(journey: Journey): void {
    const now = journey.steps[journey.next];
    if (!now) return;
    const { part, share } = now;
    const which = part === 'gateways' ? journey.gateway : part === 'workers' ? journey.worker : 0;
    journey.at = stations[part][which]?.serve(journey.at, spread(journey.ms[part] * share)) ?? journey.at;
    journey.next += 1;
    if (journey.next < journey.steps.length) journeys.push(journey);
    else journey.onThrough?.(journey.at);
  }

  const ofParts = (value: (all: readonly Station[], part: SimulatedPart) => number) =>
    Object.fromEntries(SIMULATED_PARTS.map((part) => [part, value(stations[part], part)])) as Record<
      SimulatedPart,
      number
    >;
  const threads = { gateways: 1, workers: 1, nats: fleet.nats * COSTS.natsThreadsPerServer.value, redis: fleet.redis };
  return {
    cores: ofParts((all) => all.reduce((sum, { busyMs }) => sum + busyMs, 0) / endMs),
    fullest: ofParts((all, part) => Math.max(...all.map(({ busyMs }) => busyMs / endMs / threads[part]))),
    setUpMs: { p50: percentile(setUps, 0.5), p99: percentile(setUps, 0.99) },
    refused,
    calls,
    mostCallsOfWorker: rooms.most,
  };
}

/** Who has how many calls. Offers are pulled by those that have room, in turn. */
class WorkerRooms {
  readonly #counts: Int32Array;
  readonly #each: number;
  #calls = 0;
  #last = 0;
  most = 0;

  constructor(workers: number, each: number) {
    this.#counts = new Int32Array(workers);
    this.#each = each;
  }

  /** @returns whose it is; undefined: none has room */
  take(): number | undefined {
    for (let tried = 1; tried <= this.#counts.length; tried += 1) {
      const worker = (this.#last + tried) % this.#counts.length;
      const count = this.#counts[worker] ?? 0;
      if (count >= this.#each) continue;
      this.#counts[worker] = count + 1;
      this.#calls += 1;
      this.#last = worker;
      this.most = Math.max(this.most, count + 1);
      return worker;
    }
    return undefined;
  }

  /** Any call ends. @param chance 0 to 1: which @returns whose it was; undefined: there is none */
  leave(chance: number): number | undefined {
    let left = Math.floor(chance * this.#calls);
    for (const [worker, count] of this.#counts.entries()) {
      if (left < count) {
        this.#counts[worker] = count - 1;
        this.#calls -= 1;
        return worker;
      }
      left -= count;
    }
    return undefined;
  }
}
