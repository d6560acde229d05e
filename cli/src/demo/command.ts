import { setTimeout as wait } from 'node:timers/promises';
import { connectBus } from '@callfleet/bus';
import { dialplanFor } from '@callfleet/pbx';
import { installParts, type LocalFleet, startLocalFleet } from '@callfleet/testkit';
import { CallRecords } from '../call-records.ts';
import { ROOT, serviceMain } from '../repository.ts';
import { aborted, stopSignal } from '../signals.ts';
import { type CallReport, renderReports, shortcomings } from './call-report.ts';
import { type DemoCall, demoCalls, runDemoCall } from './demo-calls.ts';
import { howToCall } from './how-to-call.ts';
import { runTalkCall, type TalkCall, talkCalls } from './talk-calls.ts';
import { renderTalks, shortcomingsOfTalk } from './talk-report.ts';

export interface DemoOptions {
  /** Ten calls, a report, and an exit code. */
  once: boolean;
  /** The calls talk with this one, instead of hearing their tones back. */
  provider?: 'local';
}

const PROGRAMS = [
  { name: 'echo-bot', file: `${ROOT}/examples/echo-bot.ts`, extensions: ['100'] },
  { name: 'parrot-bot', file: `${ROOT}/examples/parrot-bot.ts`, extensions: ['200'] },
  { name: 'ivr', file: `${ROOT}/examples/ivr.ts`, extensions: ['300'] },
];

/** It takes espeak-ng, which the others do not. */
const DIALOGUE = { name: 'dialogue-bot', file: `${ROOT}/examples/dialogue-bot.ts`, extensions: ['400'] };

const CALLS_EACH = 5;
const GONE_LIMIT_MS = 5000;

/** The whole system on this machine, with real calls through it. @returns the exit code */
export async function demoCommand({ once, provider }: DemoOptions): Promise<number> {
  const stop = stopSignal();
  const say = (line: string) => console.log(line);
  const step = (what: string) => say(`callfleet: ${what}`);
  await installParts(step);
  if (provider === 'local') await installParts(step, ['espeak-ng']);

  let lost: string | undefined;
  const system = await startLocalFleet({
    serviceMain,
    programs: provider === 'local' ? [...PROGRAMS, DIALOGUE] : PROGRAMS,
    dialplan: dialplanFor,
    config: { telemetry: { level: 'warn', otlpEndpoint: process.env.OTEL_EXPORTER_OTLP_ENDPOINT } },
    onProgress: step,
    onLine: (name, line) => say(`${name}: ${line}`),
    onLost: (name, code) => {
      lost = `${name} ended by itself (exit code ${code})`;
      step(lost);
    },
  });
  try {
    if (stop.aborted) return 130;
    step(
      `${system.pbxs.length} PBXs, ${system.fleet.gateways.length} gateways, ${system.fleet.workers.length} workers, ${system.fleet.relays.length} relays are up`,
    );
    const failures = await placeCalls(system, say, provider);
    if (lost !== undefined) failures.push(lost);
    for (const failure of failures) say(`FAILED: ${failure}`);
    say(failures.length === 0 ? 'callfleet: every call did what it should' : `callfleet: ${failures.length} failures`);
    if (once) return failures.length === 0 ? 0 : 1;
    say(howToCall(system, provider));
    await aborted(stop);
    return 0;
  } finally {
    step('stopping');
    await system.stop();
  }
}

/** @returns what failed */
async function placeCalls(
  system: LocalFleet,
  say: (line: string) => void,
  provider: DemoOptions['provider'],
): Promise<string[]> {
  const bus = await connectBus({ servers: [system.nats.url], name: 'demo' });
  try {
    const records = new CallRecords(bus);
    const tell = ({ caller, pbx, extension }: DemoCall | TalkCall, what: string) =>
      say(`  ${caller} → ${extension}@${pbx.name}  ${what}`);
    if (provider === 'local') {
      const calls = talkCalls(system.pbxs);
      say(`callfleet: ${calls.length} calls talk with the provider local, one on each PBX`);
      const reports = await Promise.all(calls.map((call) => runTalkCall(call, records, tell)));
      say(renderTalks(reports));
      return [...reports.flatMap(shortcomingsOfTalk), ...(await leftBehind(system, say))];
    }
    const calls = demoCalls(system.pbxs, CALLS_EACH);
    say(`callfleet: ${calls.length} calls, ${CALLS_EACH} on each PBX, all at the same time`);
    const reports: CallReport[] = await Promise.all(calls.map((call) => runDemoCall(call, calls, records, tell)));
    say(renderReports(reports));
    return [...reports.flatMap(shortcomings), ...(await leftBehind(system, say))];
  } finally {
    await bus.close();
  }
}

/** Everything made for a call must be gone from its PBX; the last hang-up is given a moment. */
async function leftBehind(system: LocalFleet, say: (line: string) => void): Promise<string[]> {
  const failures: string[] = [];
  for (const pbx of system.pbxs) {
    const deadline = Date.now() + GONE_LIMIT_MS;
    let left = await system.leftovers(pbx);
    while (left.length > 0 && Date.now() < deadline) {
      await wait(100);
      left = await system.leftovers(pbx);
    }
    say(
      left.length === 0 ? `${pbx.name} holds no channel and no bridge` : `${pbx.name} still holds ${left.join(', ')}`,
    );
    failures.push(...left.map((what) => `${pbx.name} still holds ${what}`));
  }
  return failures;
}
