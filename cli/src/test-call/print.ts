import type { CallOutcome, TranscriptEntry } from '@callfleet/calls/testing';

const ENDS: Readonly<Record<CallOutcome['endedBy'], string>> = {
  caller: 'the caller hung up',
  program: 'the program hung up',
  dialplan: 'the program gave it back to the dialplan',
  transfer: 'the program transferred it',
  unanswered: 'nobody answered',
  cancelled: 'it was cancelled',
  error: 'the program failed',
};

/** A line each: when, in seconds of simulated time, who, and what. */
export function printTranscript(entries: readonly TranscriptEntry[]): string {
  const times = entries.map(({ atMs }) => (atMs / 1000).toFixed(3));
  const timeWidth = Math.max(0, ...times.map(({ length }) => length));
  const nameWidth = Math.max(0, ...entries.map(({ by }) => by.length));
  return entries
    .map(({ by, what }, n) => `${(times[n] as string).padStart(timeWidth)}  ${by.padEnd(nameWidth)}  ${what}\n`)
    .join('');
}

export function printEnd({
  outcome,
  outbound,
  gaveUp,
  thrown,
  path,
}: {
  outcome: CallOutcome;
  /** It was placed. */
  outbound: boolean;
  /** The caller hung up since the program did not. */
  gaveUp: boolean;
  /** What the program threw. */
  thrown: unknown;
  /** The program's file. */
  path: string;
}): string {
  const { endedBy, cause, error } = outcome;
  const why = gaveUp ? ', since the program did not end it' : '';
  const told = cause ? ` (${cause.code} ${cause.text})` : '';
  const lines = [
    `The call is over: ${outbound ? ENDS[endedBy].replace('caller', 'callee') : ENDS[endedBy]}${why}${told}.`,
  ];
  if (error) lines.push(`Error: ${error.message} [${error.code}]`, ...placesIn(path, thrown));
  return `\n${lines.join('\n')}\n`;
}

/** Where in the program's file it was thrown. */
function placesIn(path: string, thrown: unknown): string[] {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  return stack.split('\n').filter((line) => /^\s+at /.test(line) && line.includes(path));
}
