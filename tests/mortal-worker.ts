import { setTimeout as wait } from 'node:timers/promises';
import { announceWorker, type Bus, connectBus, OfferQueue } from '@callfleet/bus';
import type { CallProgram } from '@callfleet/calls';
import { CallRuntime } from '@callfleet/calls/runtime';
import { connectRedis, Session } from '@callfleet/leases';
import { Admission, createLogger } from '@callfleet/telemetry';
import { OfferIntake } from '../services/call-worker/src/offer-intake.ts';
import type { ProgramPlaces } from '../services/call-worker/src/program-threads.ts';
import { RelayDirectory } from '../services/call-worker/src/relay-directory.ts';
import { Standing } from '../services/call-worker/src/standing.ts';
import { Worker } from '../services/call-worker/src/worker.ts';

const SESSION_TTL_MS = 60_000;
const PROGRAM = { name: 'program', version: '1' };
const silent = createLogger('test', 'test', { level: 'silent', format: 'json' });

export interface Fate {
  /** `hangs`: nobody answers for it any more, and it does nothing, until {@link MortalWorker.wake}. */
  readonly what: 'dies' | 'hangs';
  readonly atStep: number;
}

export interface MortalWorkerOptions {
  readonly natsUrl: string;
  readonly redisUrl: string;
  readonly name: string;
  readonly pool: string;
  readonly relay: string;
  readonly program: CallProgram;
  /** What befalls it at which step: before it sends something, or before it hears of the answer. Default: nothing. */
  readonly fate?: Fate;
  /** So many of its first questions to a stream have no answer. Default 0. */
  readonly unanswered?: number;
}

/** A real worker with connections of its own, which can die or hang at any step of what it sends. */
export class MortalWorker {
  /** Everything that left it, and everything that came back. */
  steps = 0;
  isAlive = true;
  readonly #fate: Fate | undefined;
  readonly #stop = new AbortController();
  readonly #cut: Array<() => unknown> = [];
  readonly #waking = Promise.withResolvers<void>();
  #isUp: Promise<void> = Promise.resolve();
  #leave = () => {};

  private constructor(fate: Fate | undefined) {
    this.#fate = fate;
  }

  static async start(options: MortalWorkerOptions): Promise<MortalWorker> {
    const { natsUrl, redisUrl, name, pool, relay, program } = options;
    const mortal = new MortalWorker(options.fate);
    const bus = await connectBus({ servers: [natsUrl], name });
    const redis = await connectRedis(redisUrl, { name, onError: () => {} });
    const session = await Session.start(redis, {
      kind: 'worker',
      instance: name,
      ttlMs: SESSION_TTL_MS,
      onRenewalFailed: () => {},
    });
    // Without a goodbye: the session is closed when its connection is, so it stays in Redis.
    mortal.#cut.push(
      () => bus.nc.close(),
      () => redis.disconnect(),
      () => session.close().catch(() => {}),
    );
    // It dies, but it does not hang: certain of its calls while it lives.
    const standing = new Standing({ ttlMs: 1, now: () => 0, reaffirm: async () => {}, onChange: () => {} });
    standing.proven(0);
    const relays = new RelayDirectory(() => 0);
    relays.hear({ relay, zone: 'a', sessions: 0, maxSessions: 1000, draining: false });
    const worker = new Worker({
      bus: { ...mortal.#bus(bus), jsm: forgetful(bus.jsm, options.unanswered ?? 0) },
      redis: mortal.#counted(redis, ['acquireLease', 'releaseLease']),
      session,
      standing,
      relays,
      relayWatch: { watch: () => () => {} },
      routes: [{ ...PROGRAM, extensions: ['_X.'] }],
      threads: placesOf(program),
      log: silent,
      commandTimeoutMs: 8000,
      connectTimeoutMs: 8000,
      maxCallMs: 3_600_000,
      maxAfterCallMs: 60_000,
    });
    mortal.#leave = announceWorker(bus, name, worker);
    const intake = new OfferIntake({
      newCalls: await OfferQueue.open(bus, pool, () => {}),
      takeovers: [await OfferQueue.openTakeovers(bus, pool, PROGRAM, () => {})],
      maxCalls: 1,
      admission: new Admission(60_000),
      take: (inHand) => worker.take(inHand),
      log: silent,
    });
    void intake.run(mortal.#stop.signal);
    return mortal;
  }

  /** As kill -9: nothing that it does from now on has any effect. */
  kill(): void {
    this.isAlive = false;
    this.#isUp = new Promise(() => {});
    this.#stop.abort();
    for (const cut of this.#cut) void cut();
  }

  /** It goes on as if nothing had been. */
  wake(): void {
    this.#waking.resolve();
  }

  #bus(bus: Bus): Bus {
    return { ...bus, nc: this.#counted(bus.nc, ['request']), js: this.#counted(bus.js, ['publish']) };
  }

  /** The same, but each call of these methods is two steps. */
  #counted<T extends object>(target: T, methods: ReadonlyArray<keyof T & string>): T {
    return new Proxy(target, {
      get: (_, name) => {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== 'function') return value;
        if (!methods.includes(name as keyof T & string)) return value.bind(target);
        return (...args: unknown[]) => this.#step(() => value.apply(target, args) as Promise<unknown>);
      },
    });
  }

  async #step<T>(action: () => Promise<T>): Promise<T> {
    await this.#moment();
    try {
      return await action();
    } finally {
      await this.#moment();
    }
  }

  /** Never ends in a worker that is dead, and in one that hangs when it wakes. */
  async #moment(): Promise<void> {
    if (this.isAlive) this.steps += 1;
    if (this.isAlive && this.steps === this.#fate?.atStep) {
      if (this.#fate.what === 'dies') this.kill();
      else this.#hang();
    }
    await this.#isUp;
  }

  #hang(): void {
    this.isAlive = false;
    this.#isUp = this.#waking.promise;
    this.#stop.abort();
    this.#leave();
  }
}

/** What it is asked for by `direct.getBatch` it leaves unanswered at first, longer than a claim takes. */
function forgetful(jsm: Bus['jsm'], times: number): Bus['jsm'] {
  let left = times;
  const getBatch: Bus['jsm']['direct']['getBatch'] = async (...question) => {
    if (left <= 0) return jsm.direct.getBatch(...question);
    left -= 1;
    await wait(300);
    throw new Error('TIMEOUT');
  };
  return Object.create(jsm, { direct: { value: Object.create(jsm.direct, { getBatch: { value: getBatch } }) } });
}

/** The program runs where the worker does: threads have nothing to do with its death. */
function placesOf(program: CallProgram): ProgramPlaces {
  const run: ProgramPlaces['run'] = async (spec, host) => {
    const { context, events } = spec();
    const runtime = new CallRuntime(context, host);
    for (const event of events) runtime.deliver(event);
    return {
      deliver: (event) => runtime.deliver(event),
      abandon: (why) => runtime.abandon(why),
      outcome: runtime.run(program),
    };
  };
  return { run, runAlone: run };
}
