import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ask,
  type Bus,
  connectBus,
  decodeMessage,
  ensureStreams,
  type MediaStats,
  type RelayAnnouncement,
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

/** The voice AI of each caller, as a call program names it. */
export type BenchProvider = (call: number) => { readonly name: string; readonly options: Record<string, unknown> };

export interface RelayUnderTestOptions {
  /** Pids of what else takes part, to be kept off the relay's core. */
  readonly others?: readonly number[];
  /** Callers speak in turns; without, all the time. */
  readonly turns?: TurnsPace | undefined;
  /** `relay.threads`. Default 1. */
  readonly threads?: number | undefined;
  /** The relay's: keys of an AI, NODE_OPTIONS to look into it. */
  readonly env?: Readonly<Record<string, string>>;
}

type SessionName = Pick<RelayRequest, 'call' | 'session' | 'epoch'>;
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
  readonly #httpPort: number;
  /** Of each caller. */
  readonly #sessions: SessionName[] = [];
  /** Simulated callers that there are, with a call or without. */
  #callers = 0;
  /** Calls so far. */
  #calls = 0;
  readonly #stop: () => Promise<void>;

  static async start(transport: MediaEndKind, options: RelayUnderTestOptions = {}): Promise<RelayUnderTest> {
    const { others = [], threads = 1, turns, env = {} } = options;
    const owned: Array<() => Promise<unknown>> = [];
    const stop = async () => {
      for (const release of owned.splice(0).reverse()) await release();
    };
    try {
      const nats = await startNatsServer();
      owned.push(() => nats.stop());
      const ends = await MediaEndsProcess.start(transport, turns);
      owned.push(() => ends.stop());
      const httpPort = await freePort();
      const folder = await mkdtemp(join(tmpdir(), 'callfleet-bench-'));
      owned.push(() => rm(folder, { recursive: true, force: true }));
      const configFile = join(folder, 'callfleet.yaml');
      const bind = { bindAddress: '127.0.0.1', advertisedAddress: '127.0.0.1' };
      const config = {
        nats: { servers: [nats.url] },
        pbxs: [{ name: PBX, url: ends.url || 'http://127.0.0.1:1', username: 'bench', password: 'bench' }],
        relay: { transport, threads, maxSessions: 5000, rtp: { ...bind, ...PORTS }, audiosocket: bind },
        telemetry: { level: 'warn', http: { port: httpPort } },
      };
      await writeFile(configFile, JSON.stringify(config));
      const bus = await connectBus({ servers: [nats.url], name: 'bench' });
      await ensureStreams(bus);
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
      const own = all.slice(-Math.min(threads, CORES - 1));
      const rest = all.slice(0, -own.length);
      owned.push(async () => pinToCores([process.pid], all));
      const isPinned =
        CORES > threads && pinToCores([pid], own) && pinToCores([process.pid, nats.pid, ends.pid, ...others], rest);
      const { relay } = await announced;
      return new RelayUnderTest({ bus, ends, pid, isPinned, relay, httpPort, stop });
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
    httpPort: number;
    stop: () => Promise<void>;
  }) {
    this.ends = parts.ends;
    this.pid = parts.pid;
    this.isPinned = parts.isPinned;
    this.#bus = parts.bus;
    this.#relay = parts.relay;
    this.#httpPort = parts.httpPort;
    this.#stop = parts.stop;
  }

  /** More calls until there are so many. */
  async fill(calls: number, provider: BenchProvider): Promise<void> {
    while (this.#sessions.length < calls) {
      const first = this.#sessions.length;
      const numbers = Array.from({ length: Math.min(AT_ONCE, calls - first) }, (_, n) => first + n);
      // Callers who were there before, and whose calls are over, call again.
      const known = numbers.filter((number) => number < this.#callers);
      const legs = known.length > 0 ? await this.ends.renew(known) : await this.ends.add(numbers.length);
      const connected = known.length > 0 ? known : numbers;
      this.#callers = Math.max(this.#callers, first + connected.length);
      await this.#connect(connected, legs, provider);
    }
  }

  /** These callers hang up, and call again. @returns what the relay measured of the calls that ended */
  async renew(numbers: readonly number[], provider: BenchProvider): Promise<MediaStats[]> {
    const stats = await this.#end(numbers.map((number) => this.#sessions[number] as SessionName));
    await this.#connect(numbers, await this.ends.renew(numbers), provider);
    return stats;
  }

  /** Calls whose leg never comes, as of callers who hang up at once. */
  async openInVain(calls: number, provider: BenchProvider): Promise<void> {
    const sessions = Array.from({ length: calls }, () => this.#newSession());
    await Promise.all(
      sessions.map((session) => this.#ask<'open'>({ op: 'open', ...session, pbx: PBX, provider: provider(0) })),
    );
    await this.#end(sessions);
  }

  /** Ends all calls. @returns what the relay measured of each */
  async empty(): Promise<MediaStats[]> {
    const all: MediaStats[] = [];
    while (this.#sessions.length > 0) all.push(...(await this.#end(this.#sessions.splice(0, AT_ONCE))));
    return all;
  }

  /** How many the relay says it has. */
  async sessions(): Promise<number> {
    return (await nextAnnouncement(this.#bus)).sessions;
  }

  /** JavaScript heap in use in the relay's main thread, bytes. */
  async heapBytes(): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.#httpPort}/metrics`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return Number(/^v8js_memory_heap_used\S* (\S+)/m.exec(await response.text())?.[1]);
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  #newSession(): SessionName {
    const call = callIdOf(PBX, `bench-${this.#calls}`);
    this.#calls += 1;
    return { call, session: resourceId(call, 'media', 1), epoch: 1 };
  }

  async #connect(
    numbers: readonly number[],
    legs: ReadonlyArray<Readonly<Record<string, string>>>,
    provider: BenchProvider,
  ): Promise<void> {
    const sessions = numbers.map((number) => {
      const session = this.#newSession();
      this.#sessions[number] = session;
      return session;
    });
    const places = await Promise.all(
      sessions.map(async (session, n) => {
        const request = { ...session, pbx: PBX, provider: provider(numbers[n] as number) };
        const reply = await this.#ask<'open'>({ op: 'open', ...request });
        if (!reply.externalMedia) throw new Error('the relay did not say where it is');
        return reply.externalMedia;
      }),
    );
    await this.ends.meet(places, numbers);
    await Promise.all(
      sessions.map((session, n) => this.#ask<'attach'>({ op: 'attach', ...session, channelVariables: { ...legs[n] } })),
    );
  }

  async #end(sessions: readonly SessionName[]): Promise<MediaStats[]> {
    const replies = await Promise.all(
      sessions.map((session) => this.#ask<'close'>({ op: 'close', ...session, reason: 'the bench is over' })),
    );
    return replies.flatMap(({ stats }) => (stats ? [stats] : []));
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

function nextAnnouncement(bus: Bus): Promise<RelayAnnouncement> {
  return new Promise((resolve) => {
    const subscription = bus.nc.subscribe(subjects.relayAnnouncements, {
      callback: (_error, message) => {
        subscription.unsubscribe();
        resolve(decodeMessage(relayAnnouncementSchema, message.data));
      },
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
