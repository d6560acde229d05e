import type { CallProgram } from '../define-call.ts';
import type { CallOutcome } from '../runtime/call-runtime.ts';
import type { JournalEntry } from '../runtime/journal.ts';
import { patchTime } from './own-time.ts';
import { SeededRandom } from './seeded-random.ts';
import { type Machine, SimulatedCall } from './simulate-call.ts';
import { SimulationError } from './simulated-world.ts';
import type { SimulationOptions } from './simulation-options.ts';

/** By how much more the next worker's clock differs in each run: so that all days and hours have their turn. */
const OTHER_CLOCK_MS = ((24 + 7) * 3600 + 17 * 60 + 41) * 1000 + 739;

/** What the test does in a call: `waitFor`, `press`, `hangUp`, ... */
export type Script = (call: SimulatedCall) => Promise<void>;

interface Run {
  readonly call: SimulatedCall;
  readonly outcome: CallOutcome | undefined;
  /** The script, or the call's end, failed. */
  readonly error: unknown;
}

/**
 * Runs the program undisturbed, and then again and again: each time its worker dies at another moment, and the next one carries
 * the call on, on a machine with another time and other chance. The program must ask for the same operations each time.
 *
 * @param script what happens in the call, beside what the options say; the call's end is waited for after it
 * @returns how many takeovers the program went through
 * @throws SimulationError the program does not survive one, and why
 */
export async function survivesTakeovers(
  program: CallProgram,
  options: SimulationOptions = {},
  script: Script = async () => {},
): Promise<number> {
  const restoreTime = patchTime();
  try {
    const undisturbed = await runOnce(program, options, script, Number.POSITIVE_INFINITY);
    if (undisturbed.error) throw undisturbed.error;
    const { steps } = undisturbed.call;
    const failures: SimulationError[] = [];
    for (let step = 1; step <= steps; step += 1) {
      const run = await runOnce(program, options, script, step);
      const where = `killed at step ${step} of ${steps}, after "${run.call.killedAfter ?? 'nothing'}"`;
      const divergence = divergenceOf(run, where);
      // It tells more than that another run went another way.
      if (divergence) throw divergence;
      const failure = differenceOf(undisturbed, run, where);
      if (failure) failures.push(failure);
    }
    if (failures[0]) throw failures[0];
    return steps;
  } finally {
    restoreTime();
  }
}

async function runOnce(
  program: CallProgram,
  options: SimulationOptions,
  script: Script,
  killAtStep: number,
): Promise<Run> {
  const machines = { killAtStep, machineOf: (owner: number) => machineOf(owner, killAtStep * OTHER_CLOCK_MS) };
  const call = new SimulatedCall(program, options, machines);
  try {
    await script(call);
    return { call, outcome: await call.ended(), error: undefined };
  } catch (error) {
    // It may have failed because the program was stopped: the outcome tells more.
    const outcome = await call.ended({ otherwise: () => call.hangUp() }).catch(() => undefined);
    return { call, outcome, error };
  }
}

/** What each worker's machine adds to the time, and its chance. */
function machineOf(owner: number, otherClockMs: number): Machine {
  const chance = new SeededRandom(owner);
  let drawn = 0;
  return {
    aheadMs: owner === 1 ? 0 : otherClockMs,
    random: () => {
      drawn += 1;
      // One half to the first, the other to the next: whatever is decided by it is decided differently.
      return (chance.at(drawn) + (owner === 1 ? 0 : 1)) / 2;
    },
  };
}

function divergenceOf({ outcome }: Run, where: string): SimulationError | undefined {
  if (outcome?.error?.code !== 'CF_PROGRAM_DIVERGED') return undefined;
  return new SimulationError(`the program does not survive a takeover (${where}): ${outcome.error.message}\n${HINT}`);
}

/** What a run did otherwise than the undisturbed one. */
function differenceOf(undisturbed: Run, run: Run, where: string): SimulationError | undefined {
  const expected = operationsOf(undisturbed.call.journal);
  const found = operationsOf(run.call.journal);
  for (let number = 1; number < Math.max(expected.length, found.length); number += 1) {
    const [was, is] = [expected[number], found[number]];
    if (was === is) continue;
    return new SimulationError(
      `the program does something else after a takeover (${where}): operation ${number} is ` +
        `${is === undefined ? 'not asked for' : `"${is}"`}, and undisturbed it is ${was === undefined ? 'not asked for' : `"${was}"`}\n` +
        `${HINT}\nIf it goes by what a step returns, that must be the same each time: replace the step (the option "steps").`,
    );
  }
  if (run.error) return new SimulationError(`${where}: ${messageOf(run.error)}`, { cause: run.error });
  const [ended, endedUndisturbed] = [endOf(run.outcome), endOf(undisturbed.outcome)];
  if (ended === endedUndisturbed) return undefined;
  return new SimulationError(`the call ends differently (${where}): ${ended}, and undisturbed: ${endedUndisturbed}`);
}

const HINT =
  'Does it look at Date.now(), new Date() or Math.random(), or at a module variable that changes? ' +
  'Use call.now(), call.random(), and call.step() for everything else of the outside world.';

/** By their numbers, the operations whose results the program was told. */
function operationsOf(journal: readonly JournalEntry[]): readonly (string | undefined)[] {
  const operations: string[] = [];
  for (const entry of journal) {
    if (entry.kind === 'result') operations[entry.operation] = entry.name;
    // What waits when all is over is told so, or the program has ended before: it makes no difference.
    else if (entry.kind === 'failure' && !OVER.has(entry.error.code)) operations[entry.operation] = entry.name;
  }
  return operations;
}

const OVER: ReadonlySet<string> = new Set(['CF_LEG_ENDED', 'CF_CALL_ENDED']);

function endOf(outcome: CallOutcome | undefined): string {
  return outcome ? `${outcome.endedBy}${outcome.error ? ` (${outcome.error.message})` : ''}` : 'not at all';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
