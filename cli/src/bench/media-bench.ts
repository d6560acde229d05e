import { type AiTurns, installParts, type MediaEndKind, TimedOpenAiProcess } from '@callfleet/testkit';
import { percentile } from '../measurement.ts';
import { type Measure, tellVerdict } from '../verdict.ts';
import type { BenchOptions } from './bench-options.ts';
import { type MediaLoad, type MediaStep, measureMediaLoad } from './media-load.ts';

const TARGETS = { calls: 500, pacingP99Ms: 3, lost: 0, earP95Ms: 40, answerP95Ms: 50, cutP95Ms: 60 };
const RTP_CALLS = [50, 100, 200, 400, 500, 600, 800];
const OTHER_CALLS = [100, 200, 400];
const AI_CALLS = [20, 100, 200, 400, 500];
const ROUNDS = 5;
const ROUND_MS = 4000;
const SETTLE_MS = 3000;
/** In a call with an AI. It answers half a second after the caller has stopped, and is interrupted. */
const TURNS = { speakMs: 600, listenMs: 2000 };
const AI_ROUND_MS = 6000;
const SILENCE_MS = 300;

/** `bench media`: audio through one relay, both ways. @returns the exit code */
export async function benchMedia({ check, threads = 1 }: BenchOptions): Promise<number> {
  await installParts((step) => console.log(`callfleet: ${step}`));
  const echo = (transport: MediaEndKind, calls: readonly number[], rounds: number) =>
    measureMediaLoad({
      ...{ transport, calls, rounds, roundMs: ROUND_MS, settleMs: SETTLE_MS },
      threads,
      provider: () => ({ name: 'echo', options: {} }),
    });
  const rtp = await echo('rtp', RTP_CALLS, ROUNDS);
  const ai = await measureWithAi(AI_CALLS, 2, AI_ROUND_MS, threads);
  const audiosocket = await echo('audiosocket', OTHER_CALLS, 2);
  const websocket = await echo('websocket', OTHER_CALLS, 2);
  return tellVerdict(
    threads === 1 ? 'bench media' : `bench media ${threads} threads`,
    [
      ...verdictOf(rtp, threads),
      ...voiceMeasures(ai, threads),
      ...[rtp, ai, audiosocket, websocket].flatMap((load) => load.steps.map((step) => stepMeasure(load, step))),
    ],
    { raw: { rtp, ai, audiosocket, websocket }, check },
  );
}

/** Callers who talk in turns with a local OpenAI Realtime, over RTP. */
export async function measureWithAi(
  calls: readonly number[],
  rounds: number,
  roundMs: number,
  threads = 1,
): Promise<MediaLoad> {
  const openai = await TimedOpenAiProcess.start();
  try {
    const { url, key } = openai;
    const turnDetection = { type: 'server_vad', silenceMs: SILENCE_MS };
    return await measureMediaLoad({
      ...{ transport: 'rtp', calls, rounds, roundMs, settleMs: SETTLE_MS, turns: TURNS, threads, others: [openai.pid] },
      env: { OPENAI_API_KEY: key },
      provider: (call) => ({
        name: 'openai',
        options: { url, model: String(call), transcription: null, turnDetection },
      }),
      noted: async () =>
        new Map(Object.entries(await openai.take()).map(([model, turns]): [number, AiTurns] => [Number(model), turns])),
    });
  } finally {
    await openai.stop();
  }
}

function verdictOf(rtp: MediaLoad, threads: number): Measure[] {
  const { calls, pacingP99Ms, lost, earP95Ms } = TARGETS;
  const upTo = rtp.steps.filter((step) => step.calls <= calls);
  const at = rtp.steps.find((step) => step.calls === calls) ?? (rtp.steps.at(-1) as MediaStep);
  const last = rtp.steps.at(-1) as MediaStep;
  const sum = (of: (step: MediaStep) => number) => upTo.reduce((total, step) => total + of(step), 0);
  const listened = last.rounds.reduce((most, { heard }) => Math.max(most, heard.listenedTo), 0);
  return [
    callsHeld(rtp, threads, 'echo'),
    {
      what: `pacing error p99 at ${at.calls} calls`,
      target: { atMost: pacingP99Ms },
      value: at.quietest.pacingMs.p99,
      unit: 'ms',
      how: `the relay took ${percent(at.quietest.relayCore)} of a core, and waited ${Math.round(at.quietest.waitedMsPerSecond)} ms of each second for it`,
    },
    {
      what: 'packets lost or repeated, and calls',
      target: { atMost: lost },
      value: sum(faultsOf) + (rtp.lostOnTheWayIn ?? Number.NaN),
      unit: '',
      how: `of ${sum((step) => step.rounds.reduce((all, { heard }) => all + heard.received, 0))} to callers, up to ${calls} calls, and of all from them`,
    },
    {
      what: 'cross-talk',
      target: { atMost: 0 },
      value: rtp.steps.reduce((total, step) => total + crossTalkOf(step), 0),
      unit: '',
      how: `frames marked by another call, and calls (of ${listened}) that heard another tone than their own`,
    },
    {
      what: 'mouth to ear p95, what we add',
      target: { atMost: earP95Ms },
      value: at.quietest.roundTripMs.p95,
      unit: 'ms',
      how: `a marked frame to the relay, echo, and back, at ${at.calls} calls; p50 ${at.quietest.roundTripMs.p50} ms`,
    },
    {
      what: 'memory per call',
      value: (last.quietest.residentBytes - rtp.emptyBytes) / last.calls / 1024,
      unit: 'KiB',
      how: `${Math.round(rtp.emptyBytes / 2 ** 20)} MiB without calls, ${Math.round(last.quietest.residentBytes / 2 ** 20)} MiB with ${last.calls}`,
    },
  ];
}

/** How many calls were carried as they must be. */
function callsHeld({ steps, notMeasured }: MediaLoad, threads: number, what: string): Measure {
  const { calls, pacingP99Ms } = TARGETS;
  const held = steps.filter((step) => step.quietest.pacingMs.p99 <= pacingP99Ms && faultsOf(step) === 0);
  return {
    what: `RTP calls, ${what}, ${threads === 1 ? 'on one core' : `${threads} threads`}`,
    target: { atLeast: calls },
    value: Math.max(0, ...held.map((step) => step.calls)),
    unit: '',
    how: `both ways; pacing error p99 ≤ ${pacingP99Ms} ms, nothing lost or repeated, no call ended of itself${
      notMeasured ? `; ${notMeasured.calls} were too many to be measured: ${notMeasured.why}` : ''
    }`,
  };
}

function voiceMeasures(load: MediaLoad, threads: number): Measure[] {
  const [first] = load.steps;
  if (!first) return [];
  const answers = first.rounds.flatMap(({ voice }) => voice.answers);
  const cuts = first.rounds.flatMap(({ voice }) => voice.cuts);
  const notCut = first.rounds.reduce((sum, { voice }) => sum + voice.notCut, 0);
  const vad = cuts.map(({ vadMs }) => vadMs);
  return [
    callsHeld(load, threads, 'OpenAI'),
    {
      what: 'answer p95, what we add',
      target: { atMost: TARGETS.answerP95Ms },
      value: percentile(answers, 0.95),
      unit: 'ms',
      how: `AI's first audio to the caller's first packet of it: ${answers.length} answers in ${first.calls} calls, p50 ${percentile(answers, 0.5).toFixed(1)} ms`,
    },
    {
      what: 'interruption p95, what we add',
      target: { atMost: TARGETS.cutP95Ms },
      value: percentile(
        cuts.map(({ ms, vadMs }) => ms - vadMs),
        0.95,
      ),
      unit: 'ms',
      how: `caller's first packet to the bot's last one, less the AI's own ${percentile(vad, 0.5).toFixed(0)} ms (p50) to tell speech: ${cuts.length} times, ${notCut} not cut`,
    },
  ];
}

function stepMeasure({ transport, isPinned }: MediaLoad, { calls, rounds, gone, quietest }: MediaStep): Measure {
  const { endsCore, othersCores, waitedMsPerSecond, pacingMs, roundTripMs, heard, voice } = quietest;
  const all = (of: (heard: (typeof quietest)['heard']) => number) =>
    rounds.reduce((sum, round) => sum + of(round.heard), 0);
  const echoed = all((of) => of.echoed) > 0;
  const what = voice.answers.length > 0 ? 'OpenAI' : 'echo';
  return {
    what: `${transport}, ${what}, ${calls} calls: relay's CPU`,
    value: quietest.relayCore * 100,
    unit: '% of a core',
    how: [
      `pacing p50 ${pacingMs.p50} p99 ${pacingMs.p99} p99.9 ${pacingMs.p999} ms`,
      `${all((of) => of.lostPackets)} lost, ${all((of) => of.repeatedPackets + of.repeated)} repeated, ${all((of) => of.skipped)} skipped of ${all((of) => of.received)}`,
      ...(echoed ? [`echo left out ${all((of) => of.missing)}`, `there and back p95 ${roundTripMs.p95} ms`] : []),
      `${heard.foreign + heard.wrongTone} cross-talk`,
      ...(gone > 0 ? [`${gone} calls ended of themselves`] : []),
      `ends ${percent(endsCore)}, others ${othersCores.toFixed(2)} cores, waited ${Math.round(waitedMsPerSecond)} ms/s`,
      ...(isPinned ? [] : ['no core of its own']),
    ].join('; '),
  };
}

function faultsOf({ rounds, gone }: MediaStep): number {
  return rounds.reduce((sum, { heard }) => sum + heard.lostPackets + heard.repeatedPackets + heard.repeated, gone);
}

function crossTalkOf({ rounds }: MediaStep): number {
  return rounds.reduce((sum, { heard }) => sum + heard.foreign + heard.wrongTone, 0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
