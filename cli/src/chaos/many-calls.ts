import { setTimeout as wait } from 'node:timers/promises';
import { type LocalFleet, placeLocalCall } from '@callfleet/testkit';
import type { BeatWatch } from './beat-watch.ts';
import { QUIET_BEAT_MS } from './quiet-beat.ts';

const CALLS = 200;
const FIRST_CALLER = 30_000;
const BEGIN_LIMIT_MS = 30_000;
/** After the kill: long enough for the last call to go on. */
const WATCH_MS = 8000;
/** A call without a command for this long does not go on. */
const SILENT_MS = 2.5 * QUIET_BEAT_MS;

export interface ManyCalls {
  readonly calls: number;
  /** How many changed hands, and were still sending commands at the end. */
  readonly goOn: number;
  /** By how much the next command of each came later than its program wanted it. */
  readonly lateMs: readonly number[];
}

/** Two hundred calls of the only worker that lives; another one comes, and the first is killed. */
export async function killWorkerOfManyCalls(
  system: LocalFleet,
  worker: LocalFleet['fleet']['workers'][number],
  watch: BeatWatch,
): Promise<ManyCalls> {
  console.log(`callfleet: ${CALLS} calls without audio, all of ${worker.name}`);
  const begun = performance.now();
  for (let n = 0; n < CALLS; n += 1) {
    const pbx = system.pbxs[n % system.pbxs.length];
    if (!pbx) throw new Error('no PBX');
    const number = String(FIRST_CALLER + n);
    await placeLocalCall(pbx, { extension: number, from: number });
  }
  const limit = Date.now() + BEGIN_LIMIT_MS;
  while (watch.beatingSince(begun).size < CALLS && Date.now() < limit) await wait(50);
  await system.fleet.addWorker('worker-fresh', {});

  const killedAt = performance.now();
  await worker.kill();
  await wait(WATCH_MS);
  const late = watch.lateness(killedAt, QUIET_BEAT_MS);
  const beating = watch.beatingSince(performance.now() - SILENT_MS);
  const goOn = [...late.keys()].filter((call) => beating.has(call)).length;
  console.log(`callfleet: kill -9 ${worker.name}: ${late.size} calls changed hands, ${goOn} go on`);
  return { calls: CALLS, goOn, lateMs: [...late.values()] };
}
