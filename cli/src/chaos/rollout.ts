import { setTimeout as wait } from 'node:timers/promises';
import type { Bus } from '@callfleet/bus';
import type { ServiceProcess } from '@callfleet/supervise';
import { type LocalFleet, placeCall } from '@callfleet/testkit';
import { CallRecords } from '../call-records.ts';
import { tellVerdict } from '../verdict.ts';
import { CHAOS_PROGRAMS, withFleet } from './chaos-fleet.ts';
import { hearsItself, placeToneCallers, type ToneCaller } from './tone-callers.ts';

const CALLS = 20;
const SETTLE_MS = 3000;
/** Callers who come meanwhile, one after another, each with so much time between. */
const NEWCOMER_EVERY_MS = 500;
const NEWCOMER_HZ = 1700;
const NEWCOMER_LIMIT_MS = 5000;
const FIRST_NEWCOMER = 9000;

/** What must hold. */
const AUDIO_BACK_MS = 2000;
/** A shorter gap is not heard, milliseconds. What this machine does to callers' audio by itself is measured first, and does not count. */
const NOTICEABLE_MS = 60;
/** On few cores a process that starts takes them from those that carry audio: so many start and stop before any is replaced. */
const STARTED_BEFORE = 4;

const KINDS = ['workers', 'gateways', 'relays'] as const;
type Kind = (typeof KINDS)[number];

interface Replacement {
  readonly kind: Kind;
  readonly service: string;
  readonly exitCode: number;
  /** From SIGTERM to its end. */
  readonly stopMs: number;
  /** The longest silence of each caller from the new one's start on. */
  readonly silenceMs: readonly number[];
}

/**
 * `chaos rollout`: a new version of everything under live calls, as an orchestrator does it: one after another, the new one is ready before
 * the old one is asked to stop. @returns the exit code
 */
export async function chaosRollout(): Promise<number> {
  // A worker hands its calls over instead of waiting for their ends.
  return withFleet({ programs: [CHAOS_PROGRAMS.echo], config: { worker: { drainMs: 0 } } }, replaceAll);
}

async function replaceAll(system: LocalFleet, bus: Bus): Promise<number> {
  const records = new CallRecords(bus);
  console.log(`callfleet: ${CALLS} conversations on ${system.pbxs.length} PBXs`);
  const calls = await placeToneCallers(system, CALLS);
  await wait(SETTLE_MS);
  const over = new AbortController();
  const coming = newcomers(system, over.signal);
  const from = calls.map(({ call }) => call.now());
  await startAndStop(system);
  const ownMs = Math.max(...silencesSince(calls, from));
  console.log(`callfleet: the longest silence before anything is replaced: ${Math.round(ownMs)} ms`);
  const heardMs = Math.max(NOTICEABLE_MS, ownMs);
  const replacements: Replacement[] = [];
  for (const kind of KINDS)
    for (const service of system.fleet[kind].filter(({ isRunning }) => isRunning)) {
      const replacement = await replace(system, kind, service, calls);
      const noticed = replacement.silenceMs.filter((ms) => ms > heardMs).map(Math.round);
      console.log(
        `callfleet: ${service.name} replaced in ${Math.round(replacement.stopMs)} ms, exit code ${replacement.exitCode}; ${noticed.length} callers noticed${noticed.length > 0 ? `: ${noticed.join(' ')} ms` : ''}`,
      );
      replacements.push(replacement);
    }
  over.abort();
  const { served, failed } = await coming;
  const callers = await Promise.all(calls.map((one) => outcomeOf(one, records)));
  return report({ replacements, callers, served, failed, ownMs, heardMs });
}

/** Workers that are one too many: none takes a call from another. */
async function startAndStop({ fleet }: LocalFleet): Promise<void> {
  for (let n = 1; n <= STARTED_BEFORE; n += 1) {
    const extra = await fleet.addWorker(`worker-extra-${n}`, {});
    await extra.stop();
    await wait(SETTLE_MS);
  }
}

async function replace(
  { fleet }: LocalFleet,
  kind: Kind,
  service: ServiceProcess,
  calls: readonly ToneCaller[],
): Promise<Replacement> {
  const from = calls.map(({ call }) => call.now());
  const name = `${service.name}-next`;
  if (kind === 'workers') await fleet.addWorker(name, {});
  else if (kind === 'gateways') await fleet.addGateway(name);
  else await fleet.replaceRelay(service.name, name);
  const stoppedAt = performance.now();
  const exitCode = await service.stop();
  const stopMs = performance.now() - stoppedAt;
  await wait(SETTLE_MS);
  const silenceMs = silencesSince(calls, from);
  return { kind, service: service.name, exitCode, stopMs, silenceMs };
}

/** The longest of each caller. @param from in each call, milliseconds */
function silencesSince(calls: readonly ToneCaller[], from: readonly number[]): number[] {
  return calls.map(({ call }, n) => call.heard.longestSilenceMs({ fromMs: from[n] ?? 0, toMs: call.now() }));
}

/** New callers all the while, each of whom wants to hear itself. */
async function newcomers(system: LocalFleet, over: AbortSignal): Promise<{ served: number; failed: string[] }> {
  let served = 0;
  const failed: string[] = [];
  for (let n = 0; !over.aborted; n += 1) {
    const pbx = system.pbxs[n % system.pbxs.length];
    if (!pbx) throw new Error('no PBX');
    const audio = { toneHz: NEWCOMER_HZ };
    const call = await placeCall({ to: pbx.sipAddress, extension: '100', from: String(FIRST_NEWCOMER + n), audio });
    await call.waitForTone(NEWCOMER_HZ, NEWCOMER_LIMIT_MS).then(
      () => {
        served += 1;
      },
      (error: Error) => failed.push(`${pbx.name}: ${error.message}`),
    );
    await call.hangUp();
    await wait(NEWCOMER_EVERY_MS);
  }
  return { served, failed };
}

interface Outcome {
  readonly caller: string;
  readonly hears: boolean;
  readonly endedBy: string | undefined;
  readonly error: unknown;
}

async function outcomeOf(one: ToneCaller, records: CallRecords): Promise<Outcome> {
  const hears = await hearsItself(one);
  await one.call.hangUp();
  const record = await records.of(one.caller);
  return { caller: one.caller, hears, endedBy: record?.endedBy, error: record?.error };
}

interface Rollout {
  readonly replacements: readonly Replacement[];
  readonly callers: readonly Outcome[];
  readonly served: number;
  readonly failed: readonly string[];
  /** The longest silence before anything was replaced, and what was taken for a gap afterwards, milliseconds. */
  readonly ownMs: number;
  readonly heardMs: number;
}

function report(rollout: Rollout): Promise<number> {
  const { replacements, callers, served, failed, ownMs, heardMs } = rollout;
  const silences = (...kinds: Kind[]) =>
    replacements.filter(({ kind }) => kinds.includes(kind)).flatMap(({ silenceMs }) => silenceMs);
  const lost = callers.filter(({ hears, endedBy, error }) => !hears || endedBy !== 'caller' || error);
  const unclean = replacements.filter(({ exitCode }) => exitCode !== 0);
  const noticed = silences('workers', 'gateways').filter((ms) => ms > heardMs);
  const stopped = `${replacements.length} services replaced one after another`;
  return tellVerdict(
    'chaos rollout',
    [
      {
        what: 'calls dropped',
        target: { atMost: 0 },
        value: lost.length,
        unit: '',
        how: `of ${CALLS}, each heard to its end; ${stopped}`,
      },
      {
        what: 'new callers not served',
        target: { atMost: 0 },
        value: failed.length,
        unit: '',
        how: `of ${served + failed.length} who came meanwhile`,
      },
      { what: 'stops that were not clean', target: { atMost: 0 }, value: unclean.length, unit: '', how: stopped },
      {
        what: 'gaps heard, workers and gateways',
        target: { atMost: 0 },
        value: noticed.length,
        unit: '',
        how: `longer than ${Math.round(heardMs)} ms (this machine's own, while other processes started: ${Math.round(ownMs)} ms); the longest silence was ${Math.round(Math.max(...silences('workers', 'gateways')))} ms`,
      },
      {
        what: 'silence, longest, relays',
        target: { atMost: AUDIO_BACK_MS },
        value: Math.max(...silences('relays')),
        unit: 'ms',
        how: 'each caller is moved once',
      },
    ],
    { raw: rollout, check: true },
  );
}
