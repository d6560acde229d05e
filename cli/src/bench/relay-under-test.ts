import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ask,
  type Bus,
  connectBus,
  decodeMessage,
  type MediaStats,
  type RelayReply,
  type RelayRequest,
  relayAnnouncementSchema,
  relayReplySchema,
  subjects,
} from '@callfleet/bus';
import { callIdOf, resourceId } from '@callfleet/identity';
import { Fleet } from '@callfleet/supervise';
import { type MediaEndKind, MediaEndsProcess, startNatsServer, type TurnsPace } from '@callfleet/testkit';
import { serviceMain } from '../repository.ts';
import { pinToCores } from './process-cpu.ts';

/** A voice AI, as a call program names it. */
export interface BenchProvider {
  readonly name: string;
  /** Of a session. */
  readonly options: (call: number) => Record<string, unknown>;
}

export interface RelayUnderTestOptions {
  /** Pids of what else takes part, to be kept off the relay's core. */
  readonly others?: readonly number[];
  /** Callers speak in turns; without, all the time. */
  readonly turns?: TurnsPace | undefined;
  /** The relay's: keys of an AI, NODE_OPTIONS to look into it. */
  readonly env?: Readonly<Record<string, string>>;
}

type RequestOf<Op extends RelayRequest['op']> = Extract<RelayRequest, { op: Op }>;

/** As long as we are not pinned ourselves. */
const CORES = availableParallelism();

const PBX = 'pbx-bench';
/** Below 32768, where systems take the ports of outgoing connections from. Two for each call. */
const PORTS = { portMin: 27_000, portMax: 31_999 };
const TIMEOUT_MS = 10_000;
/** So many sessions are opened at once. */
const AT_ONCE = 25;

/** One relay process on a core of its own, where there are two, the PBX's ends of its legs, and NATS between us. */
export class RelayUnderTest {
  readonly ends: MediaEndsProcess;
  readonly pid: number;
  /** Whether nothing else that is ours is on the relay's core. */
  readonly isPinned: boolean;
  readonly #bus: Bus;
  readonly #relay: string;
  readonly #sessions: Array<Pick<RelayRequest, 'call' | 'session' | 'epoch'>> = [];
  readonly #stop: () => Promise<void>;

  static async start(transport: MediaEndKind, options: RelayUnderTestOptions = {}): Promise<RelayUnderTest> {
    const { others = [], turns, env = {} } = options;
    const owned: Array<() => Promise<unknown>> = [];
    const stop = async () => {
      for (const release of owned.splice(0).reverse()) await release();
    };
    try {
      const nats = await startNatsServer();
      owned.push(() => nats.stop());
      const ends = await MediaEndsProcess.start(transport, turns);
      owned.push(() => ends.stop());
      const folder = await mkdtemp(join(tmpdir(), 'callfleet-bench-'));
      owned.push(() => rm(folder, { recursive: true, force: true }));
      const configFile = join(folder, 'callfleet.yaml');
      const bind = { bindAddress: '127.0.0.1', advertisedAddress: '127.0.0.1' };
      const config = {
        nats: { servers: [nats.url] },
        pbxs: [{ name: PBX, url: ends.url || 'http://127.0.0.1:1', username: 'bench', password: 'bench' }],
        relay: { transport, maxSessions: 5000, rtp: { ...bind, ...PORTS }, audiosocket: bind },
        telemetry: { level: 'warn' },
      };
      await writeFile(configFile, JSON.stringify(config));
      const bus = await connectBus({ servers: [nats.url], name: 'bench' });
      owned.push(() => bus.close());
      const announced = nextAnnouncement(bus);
      const fleet = await Fleet.start({
        configFile,
        serviceMain,
        gateways: 0,
        workers: 0,
        relays: [{ name: 'relay-bench', env }],
        onLine: (name, line) => console.log(`${name}: ${line.slice(0, 300)}`),
        onLost: (name, code) => console.log(`callfleet: ${name} ended by itself (exit code ${code})`),
      });
      owned.push(() => fleet.stop());
      const pid = fleet.relays[0]?.pid ?? 0;
      const all = Array.from({ length: CORES }, (_, core) => core);
      const rest = all.slice(0, -1);
      owned.push(async () => pinToCores([process.pid], all));
      const isPinned =
        CORES > 1 && pinToCores([pid], [CORES - 1]) && pinToCores([process.pid, nats.pid, ends.pid, ...others], rest);
      return new RelayUnderTest({ bus, ends, pid, isPinned, relay: await announced, stop });
    } catch (error) {
      await stop();
      throw error;
    }
  }

  private constructor(parts: {
    bus: Bus;
    ends: MediaEndsProcess;
    pid: number;
    isPinned: boolean;
    relay: string;
    stop: () => Promise<void>;
  }) {
    this.ends = parts.ends;
    this.pid = parts.pid;
    this.isPinned = parts.isPinned;
    this.#bus = parts.bus;
    this.#relay = parts.relay;
    this.#stop = parts.stop;
  }

  /** More calls until there are so many. */
  async fill(calls: number, { name, options }: BenchProvider): Promise<void> {
    while (this.#sessions.length < calls) {
      const first = this.#sessions.length;
      const numbers = Array.from({ length: Math.min(AT_ONCE, calls - first) }, (_, n) => first + n);
      const sessions = numbers.map((number) => {
        const call = callIdOf(PBX, `bench-${number}`);
        return { call, session: resourceId(call, 'media', 1), epoch: 1 };
      });
      this.#sessions.push(...sessions);
      const legs = await this.ends.add(numbers.length);
      const places = await Promise.all(
        sessions.map(async (session, n) => {
          const provider = { name, options: options(numbers[n] as number) };
          const reply = await this.#ask<'open'>({ op: 'open', ...session, pbx: PBX, provider });
          if (!reply.externalMedia) throw new Error('the relay did not say where it is');
          return reply.externalMedia;
        }),
      );
      await this.ends.meet(places);
      await Promise.all(
        sessions.map((session, n) =>
          this.#ask<'attach'>({ op: 'attach', ...session, channelVariables: { ...legs[n] } }),
        ),
      );
    }
  }

  /** Ends all calls. @returns what the relay measured of each */
  async empty(): Promise<MediaStats[]> {
    const all: MediaStats[] = [];
    while (this.#sessions.length > 0)
      await Promise.all(
        this.#sessions.splice(0, AT_ONCE).map(async (session) => {
          const { stats } = await this.#ask<'close'>({ op: 'close', ...session, reason: 'the bench is over' });
          if (stats) all.push(stats);
        }),
      );
    return all;
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  async #ask<Op extends RelayRequest['op']>(request: RequestOf<Op>): Promise<Extract<RelayReply, { ok: true }>> {
    const subject = subjects.relay(this.#relay);
    const reply = await ask(this.#bus, subject, request as RelayRequest, {
      reply: relayReplySchema,
      timeoutMs: TIMEOUT_MS,
    });
    if (!reply.ok) throw new Error(`the relay answered ${reply.code}: ${reply.message}`);
    return reply;
  }
}

function nextAnnouncement(bus: Bus): Promise<string> {
  return new Promise((resolve) => {
    const subscription = bus.nc.subscribe(subjects.relayAnnouncements, {
      callback: (_error, message) => {
        subscription.unsubscribe();
        resolve(decodeMessage(relayAnnouncementSchema, message.data).relay);
      },
    });
  });
}
