import { installParts, TimedOpenAiProcess } from '@callfleet/testkit';
import { type Measure, tellVerdict } from '../verdict.ts';
import type { BenchOptions } from './bench-options.ts';
import { memoryTrend } from './memory-trend.ts';
import { type Soak, type SoakSample, soakRelay } from './soak-load.ts';

const MINUTES = 9;
const CALLS = 200;
/** So each call is there for 20 s. */
const RENEWED = 10;
const RENEW_EVERY_MS = 1000;
const SAMPLE_EVERY_MS = 10_000;
const LISTEN_MS = 1000;
/** One call in so many talks with a voice AI, the others with an echo. */
const AI_EACH = 4;

/** What memory may differ by that leaks nothing: a share of itself, however long the run. A heap goes up and down between collections. */
const MOST_GROWTH = { resident: 0.05, heap: 0.1 };

/** `bench soak`: calls that end and begin anew through one relay. What is left of them? @returns the exit code */
export async function benchSoak({ check, minutes = MINUTES, threads }: BenchOptions): Promise<number> {
  await installParts((step) => console.log(`callfleet: ${step}`));
  const openai = await TimedOpenAiProcess.start();
  const { url, key } = openai;
  try {
    const soak = await soakRelay({
      ...{ transport: 'rtp', calls: CALLS, forMs: minutes * 60_000, threads },
      ...{ renewed: RENEWED, renewEveryMs: RENEW_EVERY_MS, sampleEveryMs: SAMPLE_EVERY_MS, listenMs: LISTEN_MS },
      env: { OPENAI_API_KEY: key },
      others: [openai.pid],
      provider: (call) =>
        call % AI_EACH === 0
          ? { name: 'openai', options: { url, model: 'soak', transcription: null } }
          : { name: 'echo', options: {} },
    });
    return tellVerdict('bench soak', measuresOf(soak), { raw: soak, check });
  } finally {
    await openai.stop();
  }
}

export function measuresOf(soak: Soak): Measure[] {
  const { samples, before, after, calls, inVain, heard } = soak;
  const minutes = ((samples.at(-1)?.atMs ?? 0) / 60_000).toFixed(1);
  const left = (what: string, of: (sample: SoakSample) => number): Measure => ({
    what: `${what} left open`,
    target: { atMost: 0 },
    value: Math.max(0, of(after) - of(before)),
    unit: '',
    how: `of the relay's process: ${of(before)} after a warm-up, ${of(after)} after the last; at most ${Math.max(0, ...samples.map(of))} meanwhile`,
  });
  return [
    memoryMeasure('resident memory', MOST_GROWTH.resident, soak, (sample) => sample.residentBytes),
    memoryMeasure("main thread's heap", MOST_GROWTH.heap, soak, (sample) => sample.heapBytes),
    {
      what: "main thread's heap left",
      target: { atMost: (MOST_GROWTH.heap * before.heapBytes) / 2 ** 20 },
      value: (after.heapBytes - before.heapBytes) / 2 ** 20,
      unit: 'MiB',
      how: `${mib(before.heapBytes)} after a warm-up, ${mib(after.heapBytes)} after the last; resident then ${mib(after.residentBytes)}`,
    },
    left('UDP ports', ({ open }) => open.udp),
    left('TCP connections', ({ open }) => open.tcp),
    left('files', ({ open }) => open.files),
    {
      what: 'sessions left',
      target: { atMost: 0 },
      value: soak.sessionsAfter,
      unit: '',
      how: `of ${calls} calls with a leg and ${inVain} without, in ${minutes} minutes`,
    },
    {
      what: 'calls that were not heard',
      target: { atMost: 0 },
      value: soak.silent,
      unit: '',
      how: `of ${calls}; ${soak.lostOnTheWayIn} packets of callers lost`,
    },
    {
      what: 'packets lost, cross-talk',
      target: { atMost: 0 },
      value: heard.lostPackets + heard.foreign + heard.wrongTone,
      unit: '',
      how: `of ${heard.received} that callers got while they were listened to`,
    },
  ];
}

function memoryMeasure(what: string, most: number, soak: Soak, bytesOf: (sample: SoakSample) => number): Measure {
  const samples = soak.samples.map((sample) => ({ atMs: sample.atMs, bytes: bytesOf(sample) }));
  const { first, last, perHour, share } = memoryTrend(samples);
  const perCall = (last - first) / (soak.calls * share);
  return {
    what: `${what}: growth`,
    target: { atMost: (most * first) / 2 ** 20 },
    value: (last - first) / 2 ** 20,
    unit: 'MiB',
    how: `median of the first third ${mib(first)}, of the last ${mib(last)}, the first fifth of the run left out; ${(perCall / 1024).toFixed(2)} KiB per call; line through all ${mib(perHour)} an hour`,
  };
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
