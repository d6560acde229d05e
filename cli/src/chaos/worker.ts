import { setTimeout as wait } from 'node:timers/promises';
import type { Bus } from '@callfleet/bus';
import type { LocalFleet } from '@callfleet/testkit';
import Table from 'cli-table3';
import { CallRecords } from '../call-records.ts';
import { keepResult, percentile } from '../measurement.ts';
import { BeatWatch } from './beat-watch.ts';
import { CHAOS_PROGRAMS, withFleet } from './chaos-fleet.ts';
import { killWorkerOfManyCalls, type ManyCalls } from './many-calls.ts';
import { hearsItself, placeToneCallers } from './tone-callers.ts';

const CALLS = 20;
const ROUNDS = 2;
/** One is left at the end. */
const WORKERS = ROUNDS + 1;
/** After each kill: long enough for the last call to go on, and for a silence to be seen. */
const WATCH_MS = 4000;
const SETTLE_MS = 1500;

/** What must hold. */
const TARGETS = { takeoverP99Ms: 1000, longestSilenceMs: 300 };

interface Caller {
  readonly caller: string;
  readonly longestSilenceMs: number;
  readonly heardToTheEnd: boolean;
  readonly takeovers: number | undefined;
  readonly endedBy: string | undefined;
}

/** `chaos worker`: kill -9 of one worker after the other under live calls. @returns the exit code */
export async function chaosWorker(): Promise<number> {
  const { beating, quiet } = CHAOS_PROGRAMS;
  return withFleet({ programs: [beating, quiet], workers: WORKERS }, killWorkers);
}

async function killWorkers(system: LocalFleet, bus: Bus): Promise<number> {
  const watch = new BeatWatch(bus);
  const records = new CallRecords(bus);
  console.log(`callfleet: ${CALLS} live calls on ${system.pbxs.length} PBXs, ${WORKERS} workers`);
  const calls = await placeToneCallers(system, CALLS);
  await wait(SETTLE_MS);

  const from = calls.map(({ call }) => call.now());
  const takeoverMs: number[] = [];
  for (const worker of system.fleet.workers.slice(0, ROUNDS)) {
    const killedAt = performance.now();
    await worker.kill();
    await wait(WATCH_MS);
    const taken = watch.takeovers(killedAt);
    takeoverMs.push(...taken.values());
    console.log(`callfleet: kill -9 ${worker.name}: ${taken.size} calls changed hands`);
  }
  const callers: Caller[] = await Promise.all(
    calls.map(async (one, n) => {
      const { call, caller } = one;
      const toMs = call.now();
      const heardToTheEnd = await hearsItself(one);
      const longestSilenceMs = call.heard.longestSilenceMs({ fromMs: from[n] ?? 0, toMs });
      await call.hangUp();
      const record = await records.of(caller);
      return { caller, longestSilenceMs, heardToTheEnd, takeovers: record?.takeovers, endedBy: record?.endedBy };
    }),
  );
  const survivor = system.fleet.workers[ROUNDS];
  if (!survivor) throw new Error('no worker is left');
  return report(callers, takeoverMs, await killWorkerOfManyCalls(system, survivor, watch));
}

async function report(callers: readonly Caller[], takeoverMs: readonly number[], many: ManyCalls): Promise<number> {
  const table = new Table({
    head: ['caller', 'longest silence ms', 'bot heard at the end', 'takeovers', 'ended by'],
    style: { head: [], border: [], compact: true },
  });
  for (const { caller, longestSilenceMs, heardToTheEnd, takeovers, endedBy } of callers)
    table.push([
      caller,
      Math.round(longestSilenceMs),
      heardToTheEnd ? 'yes' : 'NO',
      takeovers ?? '-',
      endedBy ?? 'NO RECORD',
    ]);
  console.log(table.toString());
  const p99 = tellTimes(`kill to next command, ${CALLS} calls with audio`, takeoverMs);
  const lateP99 = tellTimes(`next command late, ${many.calls} calls of one worker`, many.lateMs);
  const silence = Math.max(...callers.map((caller) => caller.longestSilenceMs));
  const missed = [
    ...(takeoverMs.length === 0 ? ['no call changed hands'] : []),
    ...(p99 > TARGETS.takeoverP99Ms ? [`takeover p99 ${Math.round(p99)} ms > ${TARGETS.takeoverP99Ms} ms`] : []),
    ...(lateP99 > TARGETS.takeoverP99Ms
      ? [`late p99 of ${many.calls} calls ${Math.round(lateP99)} ms > ${TARGETS.takeoverP99Ms} ms`]
      : []),
    ...(many.goOn < many.calls ? [`${many.calls - many.goOn} of ${many.calls} calls do not go on`] : []),
    ...(silence > TARGETS.longestSilenceMs
      ? [`a silence of ${Math.round(silence)} ms > ${TARGETS.longestSilenceMs} ms`]
      : []),
    ...callers.flatMap(({ caller, heardToTheEnd, endedBy }) =>
      heardToTheEnd && endedBy === 'caller' ? [] : [`caller ${caller} lost its call`],
    ),
  ];
  const file = await keepResult('chaos-worker', { callers, takeoverMs, many, targets: TARGETS, missed });
  console.log(`raw data: ${file}`);
  console.log(missed.length === 0 ? 'chaos worker: held' : `chaos worker: MISSED: ${missed.join('; ')}`);
  return missed.length === 0 ? 0 : 1;
}

/** @returns the 99th percentile */
function tellTimes(what: string, times: readonly number[]): number {
  const [p50, p99, longest] = [percentile(times, 0.5), percentile(times, 0.99), Math.max(...times)] as const;
  console.log(
    `${what}: p50 ${Math.round(p50)} ms, p99 ${Math.round(p99)} ms, longest ${Math.round(longest)} ms, of ${times.length} takeovers`,
  );
  return p99;
}
