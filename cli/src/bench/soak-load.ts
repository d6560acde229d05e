import { setTimeout as wait } from 'node:timers/promises';
import type { MediaStats } from '@callfleet/bus';
import type { MediaEndKind, MediaEndsReport } from '@callfleet/testkit';
import { type OpenHandles, openHandles, residentBytes } from './process-cpu.ts';
import { type BenchProvider, RelayUnderTest, type RelayUnderTestOptions } from './relay-under-test.ts';

export interface SoakOptions extends RelayUnderTestOptions {
  readonly transport: MediaEndKind;
  readonly provider: BenchProvider;
  readonly calls: number;
  readonly forMs: number;
  /** So many calls end and begin anew at a time, so often. */
  readonly renewed: number;
  readonly renewEveryMs: number;
  readonly sampleEveryMs: number;
  readonly listenMs: number;
}

/** Milliseconds since the start; bytes. */
export interface SoakSample {
  readonly atMs: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly open: OpenHandles;
}

export interface Soak {
  readonly samples: readonly SoakSample[];
  /** After a warm-up, when all its calls have ended. */
  readonly before: SoakSample;
  /** When all calls have ended. */
  readonly after: SoakSample;
  readonly sessionsAfter: number;
  /** Calls that had a leg. */
  readonly calls: number;
  readonly inVain: number;
  readonly silent: number;
  readonly lostOnTheWayIn: number;
  /** While it was listened to. */
  readonly heard: Pick<MediaEndsReport, 'received' | 'lostPackets' | 'foreign' | 'wrongTone'>;
}

const COLLECT_GARBAGE = new URL('./collect-garbage.ts', import.meta.url).href;
/** All threads have done so by then, milliseconds. */
const COLLECTING_MS = 1000;

/** Each with all calls, for so long; milliseconds. */
const WARM_UP_ROUNDS = 3;
const WARM_UP_MS = 3000;

/** Ports and connections of calls that have ended are closed by then, milliseconds. */
const CLOSING_LIMIT_MS = 10_000;

/** Many calls through one relay, of which some end and begin anew all the time. */
export async function soakRelay(options: SoakOptions): Promise<Soak> {
  const { transport, provider, calls, forMs, renewed, renewEveryMs, sampleEveryMs, listenMs } = options;
  const nodeOptions = `${process.env.NODE_OPTIONS ?? ''} --import=${COLLECT_GARBAGE}`.trim();
  const env = { ...options.env, NODE_OPTIONS: nodeOptions };
  const relay = await RelayUnderTest.start(transport, { ...options, env });
  try {
    await warmUp(relay, options);
    const startedAt = performance.now();
    const sample = () => sampleOf(relay, performance.now() - startedAt);
    const before = await sample();
    const samples: SoakSample[] = [];
    const ended: MediaStats[] = [];
    const heard = { received: 0, lostPackets: 0, foreign: 0, wrongTone: 0 };
    let [next, inVain] = [0, 0];
    await relay.fill(calls, provider);
    while (performance.now() - startedAt < forMs) {
      for (const until = performance.now() + sampleEveryMs - listenMs - COLLECTING_MS; performance.now() < until; ) {
        const turnAt = performance.now();
        const numbers = Array.from({ length: renewed }, (_, n) => (next + n) % calls);
        next = (next + renewed) % calls;
        ended.push(...(await relay.renew(numbers, provider)));
        await relay.openInVain(1, provider);
        inVain += 1;
        await wait(Math.max(0, turnAt + renewEveryMs - performance.now()));
      }
      const report = await relay.ends.measure(listenMs);
      for (const key of Object.keys(heard) as Array<keyof typeof heard>) heard[key] += report[key];
      const latest = await sample();
      samples.push(latest);
      console.log(`callfleet: ${lineOf(latest, ended.length)}`);
    }
    ended.push(...(await relay.empty()));
    const after = await settled(sample, before);
    return {
      ...{ samples, before, after, inVain, heard },
      sessionsAfter: await relay.sessions(),
      calls: ended.length,
      silent: ended.filter(({ heard: { packets } }) => packets === 0).length,
      lostOnTheWayIn: ended.reduce((sum, { heard: { lost } }) => sum + lost, 0),
    };
  } finally {
    await relay.stop();
  }
}

/** With the first calls each thread opens a file or so for good, and code is compiled: what calls leave behind is seen from then on. */
async function warmUp(relay: RelayUnderTest, { calls, provider, threads = 1 }: SoakOptions): Promise<void> {
  await relay.openInVain(2 * threads, provider);
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    await relay.fill(calls, provider);
    await wait(WARM_UP_MS);
    await relay.empty();
  }
}

/** Without its garbage: how much of that there is depends on when it was collected last, and hides a leak. */
async function sampleOf(relay: RelayUnderTest, atMs: number): Promise<SoakSample> {
  process.kill(relay.pid, 'SIGUSR2');
  await wait(COLLECTING_MS);
  const heapBytes = await relay.heapBytes();
  return { atMs, residentBytes: residentBytes(relay.pid), heapBytes, open: openHandles(relay.pid) };
}

/** Waits until nothing more is open than before. @returns how it is then, or at the limit */
async function settled(sample: () => Promise<SoakSample>, before: SoakSample): Promise<SoakSample> {
  for (const until = performance.now() + CLOSING_LIMIT_MS; ; await wait(500)) {
    const now = await sample();
    const isClosed = now.open.udp <= before.open.udp && now.open.tcp <= before.open.tcp;
    if (isClosed || performance.now() > until) return now;
  }
}

function lineOf({ atMs, residentBytes, heapBytes, open }: SoakSample, ended: number): string {
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const { udp, tcp, files } = open;
  return `${Math.round(atMs / 1000)} s: ${ended} calls ended, ${mib(residentBytes)} resident, ${mib(heapBytes)} heap, ${udp} UDP, ${tcp} TCP, ${files} files`;
}
