import { isActedOn, type Scenario } from '../../../loadtest/scenarios.ts';
import type { Measure } from '../verdict.ts';
import type { K6Run } from './k6-run.ts';
import type { Moment } from './timeline.ts';

/** What a run came to, beside what was wanted: k6's own thresholds are the same. */
export function loadMeasures(scenario: Scenario, { summary }: K6Run, moments: readonly Moment[]): Measure[] {
  const value = (metric: string, of: string) => summary.metrics[metric]?.values[of];
  const rate = (metric: string) => (value(metric, 'rate') ?? Number.NaN) * 100;
  const { setUpP99Ms, ownTone, pacingP99Ms } = scenario.targets;
  const ordered = scenario.groups.reduce((sum, { count }) => sum + count, 0);
  const share = (what: string, metric: string, atLeast: number, how: string): Measure => ({
    ...{ what, target: { atLeast }, unit: '%', how },
    value: rate(metric),
  });
  const busiest = moments.toSorted((a, b) => b.calls - a.calls)[0];
  return [
    {
      what: 'calls',
      target: { atLeast: ordered },
      value: value('calls', 'count') ?? 0,
      unit: '',
      how: scenario.groups.map(({ name, count, perSecond }) => `${name} ${count} at ${round(perSecond)}/s`).join(', '),
    },
    {
      what: 'calls at once',
      target: { atLeast: scenario.callsAtOnce },
      value: busiest?.calls ?? 0,
      unit: '',
      how: busiest ? `cores then: ${inWords(busiest.cores, 2)}` : 'never looked at',
    },
    {
      what: 'set-up p99',
      target: { atMost: setUpP99Ms },
      value: value('setup_ms', 'p(99)') ?? Number.NaN,
      unit: 'ms',
      how: `from the call to its answer; p50 ${round(value('setup_ms', 'med'))}, longest ${round(value('setup_ms', 'max'))} ms`,
    },
    share('answered', 'answered', 100, 'of all callers'),
    share('ended as it must', 'ended_right', 100, 'by caller, program or dialplan, as its program has it; never lost'),
    ...(ownTone > 0
      ? [share('heard its own tone back', 'heard_own_tone', ownTone * 100, 'of callers with a bot: 60 % of all frames')]
      : []),
    ...(pacingP99Ms === undefined
      ? []
      : [
          {
            what: 'pacing error p99 of relays',
            target: { atMost: pacingP99Ms },
            value: fullestPacing(moments),
            unit: 'ms',
            how: 'how late frames are sent, of the worse relay, in the worst 15 s with all calls there',
          },
        ]),
    ...(scenario.groups.some(isActedOn)
      ? [share('digit acted on', 'digit_acted_on', 100, 'of callers who pressed one, or were transferred')]
      : []),
    share('call record there and right', 'record_right', 100, 'program, who ended it, digits, talk time, no error'),
    {
      what: 'left behind',
      target: { atMost: 0 },
      value: value('left_behind', 'count') ?? Number.NaN,
      unit: '',
      how: 'channels and bridges on the PBXs after the last call',
    },
    {
      what: 'memory, most',
      value: Math.max(0, ...moments.map(({ residentMiB }) => sumOf(residentMiB))),
      unit: 'MiB',
      how: busiest ? `when fullest: ${inWords(busiest.residentMiB, 0)}` : '',
    },
    {
      what: 'frames that a PBX could not send',
      value: moments.at(-1)?.framesSkipped ?? 0,
      unit: '',
      how: "its process had no time: gaps are this machine's, then",
    },
  ];
}

/** Relays tell of so many seconds. */
const PACING_OF_S = 15;

/** While all calls are there, and long enough that relays tell of nothing before. */
function fullestPacing(moments: readonly Moment[]): number {
  const most = Math.max(...moments.map(({ calls }) => calls));
  const since = moments.find(({ calls }) => calls === most)?.atS ?? 0;
  const full = moments.filter(
    ({ calls, atS, pacingP99Ms }) => calls === most && atS >= since + PACING_OF_S && !Number.isNaN(pacingP99Ms),
  );
  return full.length === 0 ? Number.NaN : Math.max(...full.map(({ pacingP99Ms }) => pacingP99Ms));
}

function inWords(values: Readonly<Record<string, number>>, digits: number): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value.toFixed(digits)}`)
    .join(', ');
}

function sumOf(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((sum, value) => sum + value, 0);
}

function round(value: number | undefined): string {
  return value === undefined ? '?' : String(Number(value.toPrecision(3)));
}
