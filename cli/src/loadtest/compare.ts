import type { Measure, Result } from '../verdict.ts';

export interface Change {
  readonly what: string;
  readonly unit: string;
  readonly before: number | undefined;
  readonly after: number;
  /** Of what it was, percent; undefined where it was nothing, or not measured. */
  readonly percent: number | undefined;
  /** Against what is wanted of it; `same` where that is not said, or it is close. */
  readonly is: 'better' | 'worse' | 'same';
}

/** Less than that is noise, percent. */
const NOTICEABLE = 10;

/** A result beside an earlier one of the same name. */
export function changesBetween(before: Result, after: Result): Change[] {
  const earlier = new Map(before.measures.map((measure) => [measure.what, measure.value]));
  return after.measures.map((measure) => {
    const was = earlier.get(measure.what);
    const percent = was ? ((measure.value - was) / was) * 100 : undefined;
    const { what, unit, value } = measure;
    return { what, unit, before: was, after: value, percent, is: judged(measure, was, percent) };
  });
}

function judged({ target, value }: Measure, was: number | undefined, percent: number | undefined): Change['is'] {
  if (!target || was === undefined || was === null || value === was) return 'same';
  if (percent !== undefined && Math.abs(percent) < NOTICEABLE) return 'same';
  return ('atMost' in target ? value < was : value > was) ? 'better' : 'worse';
}
