import type { CallRecord } from '@callfleet/bus';
import Table from 'cli-table3';

/** What one demo call showed: what its caller saw and heard, and what the fleet wrote down. */
export interface CallReport {
  readonly caller: string;
  readonly pbx: string;
  readonly toneHz: number;
  /** INVITE to 200 OK, at the caller, milliseconds. */
  readonly answeredMs?: number | undefined;
  /** What the caller heard, found in the audio that its SIP phone received. */
  readonly heardOwnTone: boolean;
  readonly heardOtherTone: boolean;
  readonly record?: CallRecord | undefined;
}

/** Everything that a good call must show; empty when it does. */
export function shortcomings(report: CallReport): string[] {
  const { record, toneHz, pbx } = report;
  const media = record?.media[0];
  const missing: Array<[boolean, string]> = [
    [report.answeredMs === undefined, 'was not answered'],
    [!report.heardOwnTone, `did not hear its own tone of ${toneHz} Hz`],
    [report.heardOtherTone, "heard another call's tone"],
    [record === undefined, 'has no call record'],
  ];
  if (record)
    missing.push(
      [record.pbx !== pbx, `has a record of ${record.pbx}`],
      [(record.digits ?? 0) < 1, 'had its digit lost'],
      [(media?.heard.speechMs ?? 0) < 500, 'was not heard by the bot'],
    );
  return missing.flatMap(([is, what]) => (is ? [`caller ${report.caller} on ${pbx} ${what}`] : []));
}

const yesNo = (yes: boolean) => (yes ? 'yes' : 'NO');
const whole = (ms: number | undefined) => (ms === undefined ? '-' : String(Math.round(ms)));
/** An instance's name without what tells its starts apart. */
const short = (instance: string | undefined) => instance?.replace(/-[0-9a-f]{6}$/, '') ?? '-';

export function renderReports(reports: readonly CallReport[]): string {
  const table = new Table({
    head: [
      'caller',
      'pbx',
      'program',
      'gateway',
      'worker',
      'relay',
      'set-up ms',
      'heard bot',
      'bot heard',
      'digit',
      'record',
    ],
    style: { head: [], border: [], compact: true },
  });
  for (const report of reports) {
    const { record } = report;
    const media = record?.media[0];
    table.push([
      `${report.caller} ${report.toneHz} Hz`,
      report.pbx,
      record?.program ? `${record.program.name} ${record.program.version}` : '-',
      short(record?.gateway),
      record?.workers.map(short).join(', ') || '-',
      media ? `${short(media.relay)} ${media.transport}` : '-',
      `${whole(record?.ringMs)} (SIP ${whole(report.answeredMs)})`,
      report.heardOtherTone ? 'OTHER' : yesNo(report.heardOwnTone),
      media ? `${(media.heard.speechMs / 1000).toFixed(1)} s` : '-',
      yesNo((record?.digits ?? 0) > 0),
      record ? `${record.endedBy}, ${whole(record.talkMs)} ms` : 'NO',
    ]);
  }
  return table.toString();
}
