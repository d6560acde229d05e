import type { CallReport, SimulatedCall } from './caller.ts';
import type { SimulatedPbx } from './pbx.ts';
import type { CallsOrder } from './schemas.ts';

/** How the calls of one order went. Milliseconds. */
export interface BatchSummary {
  readonly batch: number;
  readonly ordered: number;
  readonly placed: number;
  readonly answered: number;
  readonly ended: number;
  /** Those that were never answered, without those that are still there. */
  readonly unanswered: number;
  /** Those that came to the fallback. */
  readonly fellBack: number;
  /** Those that the PBX lost when it died. */
  readonly lost: number;
  /** From the call to its answer. */
  readonly setupP50Ms: number;
  readonly setupP99Ms: number;
  /** From the answer to the first sound. */
  readonly firstSoundP99Ms: number;
  /** Of all frames that were heard, 0 to 1. */
  readonly ownToneShare: number;
  readonly silentShare: number;
  /** Calls that heard nothing but silence. */
  readonly heardNothing: number;
  readonly gaps: number;
  readonly longestGapMs: number;
}

/** So many orders are remembered, and of each so many reports. */
const MOST_BATCHES = 100;
const MOST_REPORTS = 100_000;

class Batch {
  readonly number: number;
  readonly ordered: number;
  readonly calls = new Set<SimulatedCall>();
  readonly reports: CallReport[] = [];
  placed = 0;
  answered = 0;

  constructor(number: number, ordered: number) {
    this.number = number;
    this.ordered = ordered;
  }

  add(call: SimulatedCall): void {
    this.placed += 1;
    this.calls.add(call);
    call.answered.then(
      () => {
        this.answered += 1;
      },
      () => {},
    );
    void call.ended.then((report) => {
      this.calls.delete(call);
      if (this.reports.length < MOST_REPORTS) this.reports.push(report);
    });
  }

  get summary(): BatchSummary {
    const { reports } = this;
    const heard = reports.map((report) => report.heard);
    const sum = (of: (one: (typeof heard)[number]) => number) => heard.reduce((total, one) => total + of(one), 0);
    const frames = Math.max(
      1,
      sum((one) => one.frames),
    );
    const setups = reports.flatMap(({ answeredAfterMs }) => answeredAfterMs ?? []);
    const sounds = heard.flatMap(({ firstSoundAfterMs }) => firstSoundAfterMs ?? []);
    return {
      batch: this.number,
      ordered: this.ordered,
      placed: this.placed,
      answered: this.answered,
      ended: reports.length,
      unanswered: reports.filter(({ answered }) => !answered).length,
      fellBack: reports.filter(({ fallback }) => fallback !== undefined).length,
      lost: reports.filter(({ endedBy }) => endedBy === 'lost').length,
      setupP50Ms: quantile(setups, 0.5),
      setupP99Ms: quantile(setups, 0.99),
      firstSoundP99Ms: quantile(sounds, 0.99),
      ownToneShare: rounded(sum((one) => one.ownToneFrames) / frames),
      silentShare: rounded(sum((one) => one.silentFrames) / frames),
      heardNothing: heard.filter(({ frames: all, silentFrames }) => all === silentFrames).length,
      gaps: sum((one) => one.gaps),
      longestGapMs: Math.max(0, ...heard.map((one) => one.longestGapMs)),
    };
  }
}

/** Orders of many calls, and what became of them. */
export class CallBatches {
  readonly #pbx: SimulatedPbx;
  readonly #batches = new Map<number, Batch>();
  #count = 0;

  constructor(pbx: SimulatedPbx) {
    this.#pbx = pbx;
  }

  /** Begins to place them. */
  start(order: CallsOrder): BatchSummary {
    this.#count += 1;
    const batch = new Batch(this.#count, order.count);
    this.#batches.set(batch.number, batch);
    const oldest = this.#batches.keys().next().value;
    if (this.#batches.size > MOST_BATCHES && oldest !== undefined) this.#batches.delete(oldest);
    void this.#pbx.calls(order, (call) => batch.add(call));
    return batch.summary;
  }

  summary(number: number): BatchSummary | undefined {
    return this.#batches.get(number)?.summary;
  }

  /** Reports in the order in which the calls ended, from this one on. */
  reports(number: number, from: number, most: number): CallReport[] | undefined {
    return this.#batches.get(number)?.reports.slice(from, from + most);
  }

  /** Its callers hang up; those that are not placed yet will come all the same. */
  hangUp(number: number): BatchSummary | undefined {
    const batch = this.#batches.get(number);
    for (const call of batch?.calls ?? []) call.hangUp();
    return batch?.summary;
  }
}

function quantile(values: number[], share: number): number {
  if (values.length === 0) return 0;
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
}

function rounded(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}
