import { setTimeout as wait } from 'node:timers/promises';
import { type AiTurns, LatencyHistogram, type MediaEndKind, type MediaEndsReport } from '@callfleet/testkit';
import { residentBytes, waitedForCoreMs, watchCpu, watchOthers } from './process-cpu.ts';
import { type BenchProvider, RelayUnderTest, type RelayUnderTestOptions } from './relay-under-test.ts';
import { joinedLatency, type VoiceLatency, voiceLatency } from './voice-latency.ts';

/** What a relay did with so many calls. Milliseconds, unless it says otherwise. */
interface MediaRound {
  readonly calls: number;
  /** Share of one core that the relay's process took, all its threads. */
  readonly relayCore: number;
  readonly endsCore: number;
  /** Cores that other programs of this machine took. */
  readonly othersCores: number;
  /** How long in each second the relay could have run and did not get its core. */
  readonly waitedMsPerSecond: number;
  readonly pacingMs: { readonly p50: number; readonly p99: number; readonly p999: number };
  readonly roundTripMs: { readonly p50: number; readonly p95: number };
  /** How late the simulated ends were to send, p99. */
  readonly ownLateMs: number;
  readonly residentBytes: number;
  readonly heard: MediaEndsReport;
  /** With an AI that notes it. */
  readonly voice: VoiceLatency;
}

/** The same number of calls, measured a few times. */
export interface MediaStep {
  readonly calls: number;
  readonly rounds: readonly MediaRound[];
  /** Calls whose session had ended by then, of itself. */
  readonly gone: number;
  /** The one in which the relay waited least for its core: what others do to it is not the relay's. */
  readonly quietest: MediaRound;
}

export interface MediaLoad {
  readonly transport: MediaEndKind;
  readonly isPinned: boolean;
  readonly emptyBytes: number;
  readonly steps: readonly MediaStep[];
  /** So many calls were too much for this machine: the relay refused some, or a simulated end or AI did not keep up. */
  readonly notMeasured?: { readonly calls: number; readonly why: string };
  /** Packets of the callers that the relay had to do without, in the whole run; undefined when that is not known. */
  readonly lostOnTheWayIn: number | undefined;
}

export interface MediaLoadOptions extends RelayUnderTestOptions {
  readonly transport: MediaEndKind;
  readonly provider: BenchProvider;
  readonly calls: readonly number[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly settleMs: number;
  /** What the AI of each call, by its number, has noted since it was asked last. */
  readonly noted?: () => Promise<ReadonlyMap<number, AiTurns>>;
}

/** A relay that is so busy, or so late, has more calls than it can carry: the next step would tell nothing. */
const KNEE_CORE = 0.92;
const KNEE_MS = 100;

/** The ends and the AI stand still while they tell what they saw, and what comes meanwhile they read late. */
const BETWEEN_ROUNDS_MS = 1000;

/** Step by step more calls through one relay, each talking both ways, until it cannot take more. */
export async function measureMediaLoad(options: MediaLoadOptions): Promise<MediaLoad> {
  const { transport } = options;
  const relay = await RelayUnderTest.start(transport, options);
  try {
    const emptyBytes = residentBytes(relay.pid);
    const steps: MediaStep[] = [];
    for (const calls of options.calls) {
      const step = await measureStep(relay, calls, options).catch((error: unknown) => String(error));
      if (typeof step === 'string') {
        // Even the smallest is too much: there is nothing to tell.
        if (steps.length === 0) throw new Error(`${calls} calls could not be measured: ${step}`);
        console.log(`callfleet: ${transport}, ${calls} calls could not be measured: ${step}`);
        const notMeasured = { calls, why: step };
        return { transport, isPinned: relay.isPinned, emptyBytes, steps, notMeasured, lostOnTheWayIn: undefined };
      }
      steps.push(step);
      const { quietest, gone } = step;
      console.log(`callfleet: ${transport}, ${lineOf(quietest)}; ${gone} calls gone`);
      if (quietest.relayCore > KNEE_CORE * (options.threads ?? 1) || quietest.pacingMs.p99 > KNEE_MS) break;
    }
    const stats = await relay.empty();
    const lostOnTheWayIn = stats.reduce((sum, { heard }) => sum + heard.lost, 0);
    return { transport, isPinned: relay.isPinned, emptyBytes, steps, lostOnTheWayIn };
  } finally {
    await relay.stop();
  }
}

/** @throws when this machine can't have so many calls */
async function measureStep(relay: RelayUnderTest, calls: number, options: MediaLoadOptions): Promise<MediaStep> {
  await relay.fill(calls, options.provider);
  await wait(options.settleMs);
  const rounds: MediaRound[] = [];
  while (rounds.length < options.rounds) {
    if (rounds.length > 0) await wait(BETWEEN_ROUNDS_MS);
    rounds.push(await measureRound(relay, calls, options));
  }
  const quietest = rounds.reduce((best, round) => (round.waitedMsPerSecond < best.waitedMsPerSecond ? round : best));
  return { calls, rounds, gone: calls - (await relay.sessions()), quietest };
}

async function measureRound(relay: RelayUnderTest, calls: number, options: MediaLoadOptions): Promise<MediaRound> {
  const pids = { relay: relay.pid, ends: relay.ends.pid };
  await options.noted?.();
  const used = watchCpu(pids);
  const othersCores = watchOthers([...Object.values(pids), ...(options.others ?? []), process.pid]);
  const waitedBefore = waitedForCoreMs(relay.pid);
  const from = performance.now();
  const heard = await relay.ends.measure(options.roundMs);
  const seconds = (performance.now() - from) / 1000;
  const { relay: relaySeconds, ends: endsSeconds } = used();
  const noted = await options.noted?.();
  const voices = heard.turns.flatMap((turns, call) => {
    const ai = noted?.get(call);
    return ai ? [voiceLatency(turns, ai)] : [];
  });
  const pacing = new LatencyHistogram(heard.pacing);
  const roundTrip = new LatencyHistogram(heard.roundTrip);
  return {
    calls,
    relayCore: relaySeconds / seconds,
    endsCore: endsSeconds / seconds,
    othersCores: othersCores(),
    waitedMsPerSecond: (waitedForCoreMs(relay.pid) - waitedBefore) / seconds,
    pacingMs: { p50: pacing.quantileMs(0.5), p99: pacing.quantileMs(0.99), p999: pacing.quantileMs(0.999) },
    roundTripMs: { p50: roundTrip.quantileMs(0.5), p95: roundTrip.quantileMs(0.95) },
    ownLateMs: new LatencyHistogram(heard.ownLate).quantileMs(0.99),
    residentBytes: residentBytes(relay.pid),
    heard: { ...heard, turns: [] },
    voice: joinedLatency(voices),
  };
}

function lineOf({
  calls,
  relayCore,
  endsCore,
  othersCores,
  waitedMsPerSecond,
  pacingMs,
  ownLateMs,
  heard,
}: MediaRound) {
  const { p50, p99, p999 } = pacingMs;
  const { received, lostPackets, repeatedPackets, foreign, wrongTone, missing, repeated } = heard;
  return [
    `${calls} calls: relay ${percent(relayCore)} of a core`,
    `ends ${percent(endsCore)} (late p99 ${ownLateMs} ms)`,
    `others ${othersCores.toFixed(2)} cores`,
    `waited ${Math.round(waitedMsPerSecond)} ms/s`,
    `pacing p50 ${p50} p99 ${p99} p99.9 ${p999} ms`,
    `${received} frames, ${lostPackets} lost, ${repeatedPackets} repeated`,
    `echo: ${missing} left out, ${repeated} repeated`,
    `cross-talk: ${foreign} frames, ${wrongTone} calls`,
  ].join('; ');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
