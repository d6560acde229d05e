import { setTimeout as wait } from 'node:timers/promises';
import { type LocalFleet, placeLocalCall } from '@callfleet/testkit';
import type { BeatWatch } from './beat-watch.ts';

const CALLS = 200;
const FIRST_CALLER = 30_000;
const BEGIN_LIMIT_MS = 30_000;
/** After the kill: long enough for the last call to go on. */
const WATCH_MS = 6000;
/** A call without a command for this long does not go on; its program sends two a second. */
const SILENT_MS = 2500;

export interface ManyCalls {
  readonly calls: number;
  /** How many changed hands, and were still sending commands at the end. */
  readonly goOn: number;
  readonly takeoverMs: readonly number[];
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
  const taken = watch.takeovers(killedAt);
  const beating = watch.beatingSince(performance.now() - SILENT_MS);
  const goOn = [...taken.keys()].filter((call) => beating.has(call)).length;
  console.log(`callfleet: kill -9 ${worker.name}: ${taken.size} calls changed hands, ${goOn} go on`);
  return { calls: CALLS, goOn, takeoverMs: [...taken.values()] };
}
