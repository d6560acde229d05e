import { type Result, shown, targetOf } from '../verdict.ts';
import type { Moment } from './timeline.ts';

/** One scenario, as the page shows it. */
export interface ReportedRun {
  readonly result: Result;
  readonly moments: readonly Moment[];
  readonly setUps: ReadonlyArray<{ readonly atS: number; readonly ms: number }>;
}

interface Line {
  readonly name: string;
  readonly points: ReadonlyArray<readonly [x: number, y: number]>;
}

const WIDTH = 640;
const HEIGHT = 180;
const MARGIN = 40;
const COLOURS = ['#1f6feb', '#d1242f', '#1a7f37', '#9a6700', '#8250df', '#57606a'];

/** A page that stands alone: tables, and charts as SVG. */
export function htmlReport(runs: readonly ReportedRun[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Callfleet load test</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; color: #1f2328 }
table { border-collapse: collapse } td, th { border: 1px solid #d0d7de; padding: .2rem .6rem; text-align: left }
.missed { color: #d1242f; font-weight: 600 } figure { display: inline-block; margin: 1rem 1rem 0 0 } text { font-size: 11px }
</style></head><body>
<h1>Load test</h1>
${runs.map(section).join('\n')}
</body></html>
`;
}

function section({ result, moments, setUps }: ReportedRun): string {
  const { name, at, machine, measures, missed } = result;
  const isMissed = (what: string) => missed.some((one) => one.startsWith(what));
  const rows = measures.map(
    (measure) =>
      `<tr${isMissed(measure.what) ? ' class="missed"' : ''}><td>${[measure.what, shown(measure), targetOf(measure), measure.how].map(escaped).join('</td><td>')}</td></tr>`,
  );
  const kinds = Object.keys(moments[0]?.cores ?? {});
  const over = (of: (moment: Moment, kind: string) => number): Line[] =>
    kinds.map((kind) => ({ name: kind, points: moments.map((moment) => [moment.atS, of(moment, kind)] as const) }));
  return `<h2>${escaped(name)}: ${missed.length === 0 ? 'held' : '<span class="missed">missed</span>'}</h2>
<p>${escaped(`${at}, ${machine.cores} cores (${machine.cpu}), Node ${machine.node}`)}</p>
<table><tr><th>what</th><th>measured</th><th>target</th><th>how</th></tr>
${rows.join('\n')}
</table>
${chart('calls at once', '', [{ name: 'calls', points: moments.map(({ atS, calls }) => [atS, calls] as const) }])}
${chart('set-up', 'ms', setUpLines(setUps))}
${chart(
  'CPU',
  'cores',
  over(({ cores }, kind) => cores[kind] ?? 0),
)}
${chart(
  'memory',
  'MiB',
  over(({ residentMiB }, kind) => residentMiB[kind] ?? 0),
)}`;
}

/** Median and longest of each second. */
function setUpLines(setUps: ReportedRun['setUps']): Line[] {
  const seconds = new Map<number, number[]>();
  for (const { atS, ms } of setUps) {
    const second = Math.floor(atS);
    seconds.set(second, [...(seconds.get(second) ?? []), ms]);
  }
  const sorted = [...seconds]
    .sort(([a], [b]) => a - b)
    .map(([second, ms]) => [second, ms.sort((a, b) => a - b)] as const);
  return [
    { name: 'median', points: sorted.map(([second, ms]) => [second, ms[Math.floor(ms.length / 2)] ?? 0] as const) },
    { name: 'longest', points: sorted.map(([second, ms]) => [second, ms.at(-1) ?? 0] as const) },
  ];
}

function chart(title: string, unit: string, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  if (points.length === 0) return '';
  const toX = Math.max(1, ...points.map(([x]) => x));
  const toY = Math.max(...points.map(([, y]) => y)) || 1;
  const x = (value: number) => (MARGIN + (value / toX) * (WIDTH - 2 * MARGIN)).toFixed(1);
  const y = (value: number) => (HEIGHT - MARGIN / 2 - (value / toY) * (HEIGHT - MARGIN)).toFixed(1);
  const drawn = lines.map(
    (line, n) =>
      `<polyline fill="none" stroke="${COLOURS[n % COLOURS.length]}" points="${line.points.map(([at, value]) => `${x(at)},${y(value)}`).join(' ')}"/>`,
  );
  const legend = lines.map((line, n) => `<tspan fill="${COLOURS[n % COLOURS.length]}"> ${escaped(line.name)} </tspan>`);
  return `<figure><figcaption>${escaped(title)}</figcaption><svg width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}">
<line x1="${MARGIN}" y1="${y(0)}" x2="${WIDTH - MARGIN}" y2="${y(0)}" stroke="#d0d7de"/><text x="0" y="${y(toY)}">${toY.toPrecision(3)} ${escaped(unit)}</text>
<text x="${WIDTH - MARGIN}" y="${HEIGHT - 4}">${Math.round(toX)} s</text>
${drawn.join('\n')}
<text x="${MARGIN}" y="${HEIGHT - 4}">${legend.join('')}</text></svg></figure>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
