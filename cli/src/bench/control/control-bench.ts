import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dialplanFor } from '@callfleet/pbx';
import type { ServiceProcess } from '@callfleet/supervise';
import { type Asterisk, installParts, type LocalFleet, placeBurst, startLocalFleet } from '@callfleet/testkit';
import { percentile } from '../../measurement.ts';
import { serviceMain } from '../../repository.ts';
import { type Measure, tellVerdict } from '../../verdict.ts';
import { watchCpu } from '../process-cpu.ts';
import { startApp } from './app-process.ts';
import { SetUpWatch } from './set-up-watch.ts';

const RATES = [10, 50, 100];
/** The rate at which the fleet may be no slower than ari-client. */
const COMPARED_RATE = 50;
const ROUNDS = 3;
const ROUND_SECONDS = 6;
/** So that up to a hundred calls are there at once. */
const HOLD_MS = 1000;
const SETTLE_MS = 500;

const WAYS = ['fleet', 'ari-client', 'ws-http'] as const;
type Way = (typeof WAYS)[number];

/** What is dialled to come to each. */
const EXTENSIONS: Readonly<Record<Way, string>> = { fleet: '100', 'ari-client': '200', 'ws-http': '300' };
const APPS = { 'ari-client': 'bench-ari-client', 'ws-http': 'bench-ws-http' } as const;

interface Round {
  readonly way: Way;
  readonly perSecond: number;
  readonly calls: number;
  /** From Stasis() to Up, each call that came so far. */
  readonly setUpMs: readonly number[];
  /** CPU seconds of its own processes, of the PBX, and of NATS and Redis. */
  readonly own: number;
  readonly pbx: number;
  readonly stores: number;
}

/**
 * `bench control`: from Stasis() to the answer on one real Asterisk, through the whole system, beside an application of one
 * process on the npm package ari-client, and beside one on nothing but ws and HTTP. @returns the exit code
 */
export async function benchControl({ check }: { check: boolean }): Promise<number> {
  await installParts((step) => console.log(`callfleet: ${step}`));
  const rounds = await measure();
  return tellVerdict('bench control', measuresOf(rounds), { raw: { rounds }, check });
}

async function measure(): Promise<Round[]> {
  const system = await startLocalFleet({
    serviceMain,
    dialplan: (options) => dialplanFor(options) + referenceDialplan(options.context),
    programs: [
      {
        name: 'answering',
        file: fileURLToPath(new URL('./answering-call.ts', import.meta.url)),
        extensions: [EXTENSIONS.fleet],
      },
    ],
    pbxs: [{ name: 'pbx-a', transport: 'rtp' }],
    gateways: 1,
    workers: 1,
    config: { telemetry: { level: 'error' } },
    onProgress: (step) => console.log(`callfleet: ${step}`),
    onLine: (name, line) => console.log(`${name}: ${line}`),
  });
  const owned: Array<() => Promise<unknown>> = [() => system.stop()];
  try {
    const [pbx] = system.pbxs;
    if (!pbx) throw new Error('no PBX');
    const ariClient = await startApp('./ari-client-app.ts', APPS['ari-client'], pbx);
    owned.push(() => ariClient.stop());
    const wsHttp = await startApp('./ws-http-app.ts', APPS['ws-http'], pbx);
    owned.push(() => wsHttp.stop());
    const watch = await SetUpWatch.on(pbx);
    owned.push(() => watch.close());
    const pids = pidsOf(system, { 'ari-client': ariClient, 'ws-http': wsHttp });
    for (const way of WAYS) await call(pbx, way, COMPARED_RATE, COMPARED_RATE);
    watch.take();

    const rounds: Round[] = [];
    for (const perSecond of RATES)
      for (let n = 0; n < ROUNDS; n += 1)
        // Each begins once: whoever comes first or last has no advantage.
        for (const way of [...WAYS.slice(n % WAYS.length), ...WAYS.slice(0, n % WAYS.length)]) {
          const round = await measureRound(way, perSecond, { pbx, system, watch, pids });
          console.log(`callfleet: ${way} at ${perSecond}/s: ${lineOf([round])}`);
          rounds.push(round);
        }
    return rounds;
  } finally {
    for (const release of owned.reverse()) await release();
  }
}

interface Under {
  readonly pbx: Asterisk;
  readonly system: LocalFleet;
  readonly watch: SetUpWatch;
  readonly pids: Readonly<Record<Way, readonly number[]>>;
}

async function measureRound(way: Way, perSecond: number, { pbx, system, watch, pids }: Under): Promise<Round> {
  const calls = perSecond * ROUND_SECONDS;
  const own = pids[way].map((pid) => watchCpu({ pid }));
  const others = watchCpu({ pbx: pbx.pid, nats: system.nats.pid, redis: system.redis.pid });
  await call(pbx, way, perSecond, calls);
  const { pbx: pbxSeconds, nats, redis } = others();
  return {
    ...{ way, perSecond, calls, setUpMs: watch.take().setUpMs },
    own: own.reduce((sum, used) => sum + used().pid, 0),
    pbx: pbxSeconds,
    stores: nats + redis,
  };
}

async function call(pbx: Asterisk, way: Way, perSecond: number, calls: number): Promise<void> {
  await placeBurst({ to: pbx.sipAddress, extension: EXTENSIONS[way], perSecond, calls, holdMs: HOLD_MS });
  await wait(SETTLE_MS);
}

function pidsOf({ fleet }: LocalFleet, apps: Readonly<Record<keyof typeof APPS, ServiceProcess>>) {
  const pidOf = (service: { readonly pid: number | undefined }) => service.pid ?? 0;
  return {
    fleet: [...fleet.gateways, ...fleet.workers].map(pidOf),
    'ari-client': [pidOf(apps['ari-client'])],
    'ws-http': [pidOf(apps['ws-http'])],
  };
}

/** In the context that callers come to: who dials a reference application's number goes there. */
function referenceDialplan(context: string): string {
  const lines = Object.entries(APPS).flatMap(([way, app]) => [
    `exten => ${EXTENSIONS[way as keyof typeof APPS]},1,Stasis(${app})`,
    ' same => n,Hangup()',
  ]);
  return [`[${context}](+)`, ...lines, ''].join('\n');
}

function measuresOf(rounds: readonly Round[]): Measure[] {
  const of = (way: Way, perSecond: number) =>
    rounds.filter((round) => round.way === way && round.perSecond === perSecond);
  const all = (way: Way) => of(way, COMPARED_RATE).flatMap(({ setUpMs }) => setUpMs);
  const ratio = (share: number) => percentile(all('fleet'), share) / percentile(all('ari-client'), share);
  const compared = (share: number): Measure => ({
    what: `set-up p${share * 100}, times that of ari-client`,
    target: { atMost: 1 },
    value: ratio(share),
    unit: '×',
    how: `${COMPARED_RATE} calls/s, ${ROUNDS} rounds of each in turn`,
  });
  const failed = of('fleet', COMPARED_RATE).reduce((sum, { calls, setUpMs }) => sum + calls - setUpMs.length, 0);
  return [
    compared(0.5),
    compared(0.99),
    { what: 'calls not answered', target: { atMost: 0 }, value: failed, unit: '', how: `fleet, ${COMPARED_RATE}/s` },
    ...RATES.flatMap((perSecond) =>
      WAYS.map((way) => {
        const these = of(way, perSecond);
        return {
          what: `${way}, ${perSecond} calls/s: set-up p50`,
          value: percentile(
            these.flatMap(({ setUpMs }) => setUpMs),
            0.5,
          ),
          unit: 'ms',
          how: lineOf(these),
        };
      }),
    ),
  ];
}

function lineOf(rounds: readonly Round[]): string {
  const sum = (value: (round: Round) => number) => rounds.reduce((total, round) => total + value(round), 0);
  const setUpMs = rounds.flatMap((round) => round.setUpMs);
  const calls = sum((round) => round.calls);
  const perCall = (seconds: number) => `${((seconds / calls) * 1000).toFixed(1)}`;
  return [
    `p50 ${percentile(setUpMs, 0.5)} p90 ${percentile(setUpMs, 0.9)} p99 ${percentile(setUpMs, 0.99)} ms`,
    `${calls - setUpMs.length} of ${calls} not answered`,
    `core-ms a call: own ${perCall(sum(({ own }) => own))}, NATS and Redis ${perCall(sum(({ stores }) => stores))}, PBX ${perCall(sum(({ pbx }) => pbx))}`,
  ].join('; ');
}
