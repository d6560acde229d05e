import { setTimeout as wait } from 'node:timers/promises';
import type { Bus } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { monotonicMs, PROBE, startFakeAsteriskProcess } from '@callfleet/testkit';
import { startGatewayUnderTest } from './gateway-under-test.ts';
import { watchCpu, watchOthers } from './process-cpu.ts';
import { StoredEvents } from './stored-events.ts';

const PBX = 'pbx-fake';
const SHARDS = ['callfleet-1', 'callfleet-2', 'callfleet-3', 'callfleet-4'];
const CALLS_PER_SHARD = 250;
/** At 40,000 events/s these are 500 new calls a second. */
const EVENTS_PER_CALL = 80;
const PROBE_EVERY = 20;
const WARM_UP_MS = 6000;
const ROUNDS = 3;
const ROUND_MS = 8000;
/** Sent and not stored yet, at most: enough to keep everyone busy, too little for the gateway to hold or spill. */
const WINDOW = 8000;
const LATENCY_ROUNDS = 5;
const LATENCY_MS = 5000;
const SETTLE_MS = 2000;
const SERVED_LIMIT_MS = 20_000;

/** How fast one gateway was, in one round. */
interface SpeedRound {
  readonly events: number;
  readonly bytesPerEvent: number;
  /** On the clock: what this machine left to all of them together. */
  readonly perSecond: number;
  readonly coreSeconds: { readonly gateway: number; readonly nats: number; readonly pbx: number };
  /** Of the gateway's process, all its threads. */
  readonly coreSecondsPerMillion: number;
  /** Cores that other programs of this machine took meanwhile, on average. */
  readonly othersCores: number;
}

/** How long events were under way, in one round. */
interface LatencyRound {
  readonly eventsPerSecond: number;
  readonly events: number;
  /** Of each probe. */
  readonly ms: readonly number[];
  /** How late the sender itself was at most. */
  readonly senderLateMs: number;
  /** Cores that other programs of this machine took meanwhile, on average. */
  readonly othersCores: number;
}

export interface GatewayEvents {
  readonly rounds: readonly SpeedRound[];
  readonly latency: readonly LatencyRound[];
  readonly lost: number;
}

/** Events of one simulated PBX, from four sockets through one gateway process into JetStream. */
export async function measureGatewayEvents(eventsPerSecond: number): Promise<GatewayEvents> {
  const options = { shards: SHARDS, calls: CALLS_PER_SHARD, eventsPerCall: EVENTS_PER_CALL, probeEvery: PROBE_EVERY };
  const pbx = await startFakeAsteriskProcess({ name: PBX, ...options });
  const system = await startGatewayUnderTest([pbx], SHARDS).catch(async (error) => {
    await pbx.stop();
    throw error;
  });
  try {
    const { bus } = system;
    const pids = { ...system.pids, pbx: pbx.pid };
    await untilServed(bus, PBX, SHARDS);
    const stored = await StoredEvents.follow(bus, (count) => pbx.acknowledged(count));
    let sent = 0;
    const saturate = async (ms: number): Promise<SpeedRound> => {
      const used = watchCpu(pids);
      const others = watchOthers([...Object.values(pids), process.pid]);
      const before = stored.count;
      const from = performance.now();
      const report = await pbx.run({ window: WINDOW, ms });
      const events = stored.count - before;
      const coreSeconds = used();
      sent += report.events;
      return {
        events,
        bytesPerEvent: report.bytes / report.events,
        perSecond: events / ((performance.now() - from) / 1000),
        coreSeconds,
        othersCores: others(),
        coreSecondsPerMillion: (coreSeconds.gateway / events) * 1e6,
      };
    };
    await saturate(WARM_UP_MS);
    const rounds: SpeedRound[] = [];
    for (let n = 0; n < ROUNDS; n += 1) rounds.push(await saturate(ROUND_MS));
    await stored.until(sent);
    const probes = await Probes.follow(bus);
    const latency: LatencyRound[] = [];
    for (let n = 0; n < LATENCY_ROUNDS; n += 1) {
      const others = watchOthers([...Object.values(pids), process.pid]);
      const from = monotonicMs();
      const { events, latestMs } = await pbx.run({ eventsPerSecond, ms: LATENCY_MS });
      const othersCores = others();
      sent += events;
      await stored.until(sent);
      await wait(SETTLE_MS);
      latency.push({ eventsPerSecond, events, ms: probes.since(from), senderLateMs: latestMs, othersCores });
    }
    const lost = sent - (await stored.until(sent));
    await probes.close();
    await stored.stop();
    return { rounds, latency, lost };
  } finally {
    await system.stop();
    await pbx.stop();
  }
}

/** Probes as a consumer of the stream gets them: stored, and delivered. */
class Probes {
  readonly #taken: { readonly sentAt: number; readonly ms: number }[] = [];
  #messages: { close(): Promise<unknown> } | undefined;

  static async follow(bus: Bus): Promise<Probes> {
    const probes = new Probes();
    const subject = `cf.call.${callIdOf(PBX, `${PBX}-${PROBE}`)}.ev`;
    const consumer = await bus.js.consumers.get('CALLS', { filter_subjects: subject });
    probes.#messages = await consumer.consume({
      callback: (message) => {
        const { sentAt } = message.json<{ data: { userevent: { sentAt: number } } }>().data.userevent;
        probes.#taken.push({ sentAt, ms: monotonicMs() - sentAt });
      },
    });
    // Those from before come first.
    await wait(SETTLE_MS);
    return probes;
  }

  /** How long each took that was sent since then. */
  since(from: number): number[] {
    return this.#taken.filter(({ sentAt }) => sentAt >= from).map(({ ms }) => ms);
  }

  async close(): Promise<void> {
    await this.#messages?.close();
  }
}

/** Resolves when the commands of every shard are taken. */
export async function untilServed(bus: Bus, pbx: string, shards: readonly string[]): Promise<void> {
  const limit = Date.now() + SERVED_LIMIT_MS;
  for (const shard of shards)
    for (;;) {
      const isTaken = await bus.nc.request(`cf.cmd.${pbx}.${shard}`, '{}', { timeout: 1000 }).then(
        () => true,
        () => false,
      );
      if (isTaken) break;
      if (Date.now() > limit) throw new Error(`${pbx} ${shard} is not served after ${SERVED_LIMIT_MS} ms`);
      await wait(50);
    }
}
