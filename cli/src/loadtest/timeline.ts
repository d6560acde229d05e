import { residentBytes, watchCpu } from '../bench/process-cpu.ts';
import { countsOf } from '../simulated-pbxs/control.ts';
import type { FleetUnderTest } from './fleet-under-test.ts';

const EVERY_MS = 1000;

/** One second of a load test. */
export interface Moment {
  /** Since the beginning. */
  readonly atS: number;
  /** Callers on all PBXs. */
  readonly calls: number;
  /** By kind of process, all of it together. */
  readonly cores: Readonly<Record<string, number>>;
  readonly residentMiB: Readonly<Record<string, number>>;
  /** Frames of callers' audio that a PBX could not send, as its process had no time. */
  readonly framesSkipped: number;
  /** How late the relays sent frames, 99th percentile; NaN when none said. */
  readonly pacingP99Ms: number;
}

/** Looks at the fleet each second. */
export class Timeline {
  readonly moments: Moment[] = [];
  readonly #under: FleetUnderTest;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #watches = new Map<number, () => { pid: number }>();
  #lookedAt = performance.now();
  #looking: Promise<void> = Promise.resolve();

  constructor(under: FleetUnderTest) {
    this.#under = under;
    this.#renew();
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look()).catch(() => {});
    }, EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const seconds = (performance.now() - this.#lookedAt) / 1000;
    const cores: Record<string, number> = {};
    const residentMiB: Record<string, number> = {};
    for (const [kind, pids] of Object.entries(this.#under.pids)) {
      // One that was killed, or has just come, is not counted in this second.
      const sum = (values: number[]) => values.filter(Number.isFinite).reduce((total, value) => total + value, 0);
      cores[kind] = sum(pids.map((pid) => (this.#watches.get(pid)?.().pid ?? 0) / seconds));
      residentMiB[kind] = sum(pids.map((pid) => residentBytes(pid) / 2 ** 20));
    }
    this.#renew();
    const [pacingP99Ms, ...counts] = await Promise.all([this.#under.pacingP99Ms(), ...this.#under.pbxs.map(countsOf)]);
    this.moments.push({
      atS: Math.round((performance.now() - this.#startedAt) / 100) / 10,
      calls: counts.reduce((sum, { callers }) => sum + callers, 0),
      cores,
      residentMiB,
      framesSkipped: counts.reduce((sum, { framesSkipped }) => sum + framesSkipped, 0),
      pacingP99Ms,
    });
  }

  #renew(): void {
    this.#lookedAt = performance.now();
    const pids = Object.values(this.#under.pids).flat();
    this.#watches = new Map(pids.map((pid) => [pid, watchCpu({ pid })]));
  }
}
