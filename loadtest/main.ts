import { sleep } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
import { type CallGroup, isActedOn, type Scenario } from './scenarios.ts';

/**
 * The load test, as k6 runs it: one virtual user for the callers of each group on each PBX. It orders them, follows them from
 * outside, and compares what each heard, and its call record, with what must come of it. `./callfleet loadtest` starts it.
 */

interface CallerReport {
  readonly channelId: string;
  readonly from: string;
  readonly answered: boolean;
  readonly answeredAfterMs?: number;
  readonly endedAfterMs: number;
  readonly endedBy: string;
  readonly fallback?: string;
  readonly heard: { readonly frames: number; readonly ownToneFrames: number; readonly sounds: readonly string[] };
}

interface RecordSeen {
  readonly program?: { readonly name: string };
  readonly endedBy: string;
  readonly status?: string;
  readonly digits?: number;
  readonly talkMs?: number;
  readonly error?: { readonly code: string };
}

const scenario = JSON.parse(__ENV.SCENARIO) as Scenario;
const pbxs = JSON.parse(__ENV.PBXS) as ReadonlyArray<{ name: string; controlUrl: string }>;
const desk = __ENV.DESK_URL;

const GIVE_UP_MS = 30_000;
/** After the last caller is placed and has held its call, so long is waited for its end. */
const ENDED_LIMIT_S = 45;
const RECORDS_AT_ONCE = 200;
const LEFT_LIMIT_S = 20;
/** Clocks of PBX and caller are read at different moments, and a busy machine makes more of it. */
const TALK_MS_APART = 1500;
const MOST_TOLD = 5;

const calls = new Counter('calls');
const setUp = new Trend('setup_ms');
const answered = new Rate('answered');
const endedRight = new Rate('ended_right');
const ownTone = new Rate('heard_own_tone');
const actedOn = new Rate('digit_acted_on');
const recorded = new Rate('record_right');
const left = new Counter('left_behind');

const shares = scenario.groups.flatMap((group) =>
  pbxs.map((pbx, n) => ({
    group,
    pbx,
    count: Math.floor(group.count / pbxs.length) + (n < group.count % pbxs.length ? 1 : 0),
    // Callers of several PBXs come in turn, not at once.
    startAfterS: n / group.perSecond,
  })),
);

const longestS = Math.max(
  ...scenario.groups.map(
    ({ count, perSecond, call }) => count / perSecond + (call.holdMs ?? 0) / 1000 + 2 * ENDED_LIMIT_S,
  ),
);

export const options = {
  scenarios: {
    callers: {
      ...{ executor: 'per-vu-iterations', vus: shares.length, iterations: 1, exec: 'callers' },
      maxDuration: `${Math.ceil(longestS)}s`,
    },
    ...(scenario.kills.length > 0 && {
      kills: {
        ...{ executor: 'per-vu-iterations', vus: scenario.kills.length, iterations: 1, exec: 'kill' },
        maxDuration: `${Math.ceil(longestS)}s`,
      },
    }),
  },
  thresholds: {
    setup_ms: [`p(99)<=${scenario.targets.setUpP99Ms}`],
    answered: ['rate>=1'],
    ended_right: ['rate>=1'],
    ...(scenario.targets.ownTone > 0 && { heard_own_tone: [`rate>=${scenario.targets.ownTone}`] }),
    ...(scenario.groups.some(isActedOn) && { digit_acted_on: ['rate>=1'] }),
    record_right: ['rate>=1'],
    left_behind: ['count<=0'],
  },
  summaryTrendStats: ['med', 'p(90)', 'p(99)', 'max'],
};

export function setup(): void {
  for (const { controlUrl } of pbxs)
    http.put(`${controlUrl}/endpoints`, JSON.stringify({ address: 'PJSIP/reception', does: 'answers', afterMs: 200 }));
}

export function callers(): void {
  const share = shares[exec.scenario.iterationInTest];
  if (!share || share.count === 0) return;
  const { group, pbx, count, startAfterS } = share;
  sleep(startAfterS);
  const arrivalsPerSecond = group.perSecond / pbxs.length;
  const order = { count, arrivalsPerSecond, call: { giveUpAfterMs: GIVE_UP_MS, ...group.call } };
  const ordered = http.post(`${pbx.controlUrl}/calls`, JSON.stringify(order));
  if (ordered.status !== 201) throw new Error(`${pbx.name}: calls can't be ordered: ${ordered.body}`);
  const { batch } = ordered.json() as { batch: number };

  const reports: CallerReport[] = [];
  const limit = Date.now() + (count / arrivalsPerSecond + ENDED_LIMIT_S) * 1000 + (group.call.holdMs ?? GIVE_UP_MS);
  while (reports.length < count && Date.now() < limit) {
    sleep(1);
    const page = http.get(`${pbx.controlUrl}/calls/${batch}/reports?after=${reports.length}`);
    if (page.status !== 200) continue;
    const fresh = (page.json() as { reports: CallerReport[] }).reports;
    for (const report of fresh) judge(group, report);
    reports.push(...fresh);
  }
  calls.add(reports.length);
  // Who is still there has not ended as it must.
  for (let n = reports.length; n < count; n += 1) endedRight.add(false);
  compareRecords(group, pbx.name, reports);
}

/** One virtual user for each thing that is killed. */
export function kill(): void {
  const planned = scenario.kills[exec.scenario.iterationInTest];
  if (!planned) return;
  sleep(planned.afterS);
  const killed = http.post(`${desk}/kill`, JSON.stringify({ victim: planned.victim }), { timeout: '60s' });
  if (killed.status !== 200) throw new Error(`${planned.victim} can't be killed: ${killed.body}`);
}

/** Nothing may be left of all calls: no channels, no bridges. */
export function teardown(): void {
  for (const { name, controlUrl } of pbxs) {
    let there: string[] = [];
    for (let n = 0; n < LEFT_LIMIT_S; n += 1) {
      there = http.get(`${controlUrl}/leftovers`).json() as string[];
      if (there.length === 0) break;
      sleep(1);
    }
    if (there.length > 0) console.error(`${name} has left: ${there.slice(0, MOST_TOLD).join(', ')}`);
    left.add(there.length);
  }
}

export function handleSummary(data: object): Record<string, string> {
  return { [__ENV.SUMMARY_FILE]: JSON.stringify(data) };
}

/** What the caller itself noticed. */
function judge({ name, expects }: CallGroup, report: CallerReport): void {
  const { from, heard } = report;
  answered.add(report.answered);
  if (report.answeredAfterMs !== undefined) setUp.add(report.answeredAfterMs);
  const isRight =
    report.fallback === expects.status &&
    (expects.endedBy === 'program' ? report.endedBy === 'pbx' : report.endedBy !== 'lost');
  endedRight.add(isRight);
  if (!isRight) tell(`${name} ${from}: ended by ${report.endedBy}, fallback ${report.fallback}`);
  if (expects.ownToneShare !== undefined) {
    const hears = heard.ownToneFrames > 0 && heard.ownToneFrames / heard.frames >= expects.ownToneShare;
    ownTone.add(hears);
    if (!hears) tell(`${name} ${from}: own tone in ${heard.ownToneFrames} of ${heard.frames} frames`);
  }
  if (expects.sound !== undefined) {
    const wanted = expects.sound.replace('{from}', from);
    actedOn.add(heard.sounds.includes(wanted));
    if (!heard.sounds.includes(wanted)) tell(`${name} ${from}: was not played ${wanted}, but ${heard.sounds}`);
  } else if (expects.status !== undefined) actedOn.add(report.fallback === expects.status);
}

/** What is written of each call, beside what its caller noticed. */
function compareRecords(group: CallGroup, pbx: string, reports: readonly CallerReport[]): void {
  for (let from = 0; from < reports.length; from += RECORDS_AT_ONCE) {
    const some = reports.slice(from, from + RECORDS_AT_ONCE);
    const channels = some.map(({ channelId }) => channelId);
    const reply = http.post(`${desk}/records`, JSON.stringify({ pbx, channels }), { timeout: '60s' });
    if (reply.status !== 200) throw new Error(`records can't be had: ${reply.body}`);
    const { records } = reply.json() as { records: Array<RecordSeen | null> };
    some.forEach((report, n) => {
      const wrong = wrongWith(group, report, records[n] ?? null);
      recorded.add(wrong === undefined);
      if (wrong !== undefined) tell(`${group.name} ${report.from}: its record: ${wrong}`);
    });
  }
}

function wrongWith({ call, expects }: CallGroup, report: CallerReport, record: RecordSeen | null): string | undefined {
  if (!record) return 'there is none';
  if (record.error) return `error ${record.error.code}`;
  if (record.program?.name !== expects.program) return `program ${record.program?.name}`;
  if (record.endedBy !== expects.endedBy) return `ended by ${record.endedBy}, not ${expects.endedBy}`;
  if (record.status !== expects.status) return `status ${record.status}`;
  const pressed = call.digits?.length ?? 0;
  if (record.digits !== pressed) return `${record.digits} digits, not ${pressed}`;
  const talkedMs = report.endedAfterMs - (report.answeredAfterMs ?? 0);
  // Who went back to the dialplan talks on there.
  if (expects.endedBy !== 'dialplan' && !(Math.abs((record.talkMs ?? 0) - talkedMs) <= TALK_MS_APART))
    return `${record.talkMs} ms of talk, not ${talkedMs}`;
  return undefined;
}

let told = 0;

/** Each virtual user says the first few things. */
function tell(what: string): void {
  told += 1;
  if (told <= MOST_TOLD) console.error(what);
}
