import type { CallRecord } from '@callfleet/bus';
import type { HeardSpeech } from '@callfleet/testkit';
import Table from 'cli-table3';

/** What one call with the bot showed: what its caller heard, and what the fleet wrote down. Absent: it did not come so far. */
export interface TalkReport {
  readonly caller: string;
  readonly pbx: string;
  readonly answeredMs?: number;
  readonly greeting?: HeardSpeech;
  /** To the first key. */
  readonly answer?: HeardSpeech;
  readonly answerAfterMs?: number;
  /** From the first sound of the caller to the last of the bot that he interrupted. */
  readonly silencedAfterMs?: number;
  readonly goodbye?: HeardSpeech;
  readonly record?: CallRecord | undefined;
}

/** As loud as speech is on a telephone line, dBFS. */
const SOFTEST_DBFS = -35;
const LOUDEST_DBFS = -8;
const ANSWER_LIMIT_MS = 1500;
const SILENCED_LIMIT_MS = 800;

/** Everything that a good call must show; empty when it does. */
export function shortcomingsOfTalk(report: TalkReport): string[] {
  const { greeting, answer, answerAfterMs = 0, silencedAfterMs, goodbye, record } = report;
  const session = record?.media[0];
  const wrong: Array<[boolean, string]> = [
    [report.answeredMs === undefined, 'was not answered'],
    [!isSpeech(greeting, 3000), `heard no greeting of 3 s between ${SOFTEST_DBFS} and ${LOUDEST_DBFS} dBFS`],
    [!isSpeech(answer, 1000), 'heard no answer to its key'],
    [answerAfterMs > ANSWER_LIMIT_MS, `waited ${Math.round(answerAfterMs)} ms for the answer to its key`],
    [
      silencedAfterMs === undefined || silencedAfterMs > SILENCED_LIMIT_MS,
      `could not interrupt within ${SILENCED_LIMIT_MS} ms`,
    ],
    [!isSpeech(goodbye, 1000), 'was not told good-bye'],
    [record === undefined, 'has no call record'],
  ];
  if (record)
    wrong.push(
      [(record.digits ?? 0) < 2, 'had a digit lost'],
      [(session?.heard.speechMs ?? 0) < 500, 'was not heard by the bot'],
      [record.endedBy !== 'program', `was not left by the bot, but the call ended by the ${record.endedBy}`],
    );
  return wrong.flatMap(([is, what]) => (is ? [`caller ${report.caller} on ${report.pbx} ${what}`] : []));
}

export function renderTalks(reports: readonly TalkReport[]): string {
  const table = new Table({
    head: [
      'caller',
      'pbx',
      'transport',
      'set-up ms',
      'greeting',
      'key answered',
      'silenced after',
      'good-bye',
      'record',
    ],
    style: { head: [], border: [], compact: true },
  });
  for (const { caller, pbx, answeredMs, greeting, answerAfterMs, silencedAfterMs, goodbye, record } of reports)
    table.push([
      caller,
      pbx,
      record?.media[0]?.transport ?? '-',
      whole(answeredMs),
      seconds(greeting),
      `${whole(answerAfterMs)} ms`,
      `${whole(silencedAfterMs)} ms`,
      seconds(goodbye),
      record ? `${record.endedBy}, ${whole(record.talkMs)} ms` : 'NO',
    ]);
  return table.toString();
}

function isSpeech(said: HeardSpeech | undefined, leastMs: number): boolean {
  return said !== undefined && said.ms >= leastMs && said.dbfs >= SOFTEST_DBFS && said.dbfs <= LOUDEST_DBFS;
}

const whole = (ms: number | undefined) => (ms === undefined ? '-' : String(Math.round(ms)));
const seconds = (said: HeardSpeech | undefined) =>
  said ? `${(said.ms / 1000).toFixed(1)} s, ${Math.round(said.dbfs)} dBFS` : 'NO';
