import { resolve } from 'node:path';
import { loadCallProgram, resolveSdkForPrograms } from '@callfleet/calls/runtime';
import { type SimulationOptions, simulateCall } from '@callfleet/calls/testing';
import { pairsOf } from '../option-values.ts';
import { printEnd, printTranscript } from './print.ts';
import { answersOf, type CallerPlan, hangUpTime, pressesOf, stepsOf } from './scripted-caller.ts';

export interface TestCallOptions extends CallerPlan {
  /** The call is placed: it rings at `called`, and the scripted caller is who answers. Default false. */
  outbound?: boolean | undefined;
  /** The caller's number. Default: withheld. */
  caller?: string | undefined;
  /** The dialled extension. Default 100. */
  called?: string | undefined;
  /** What the dialplan gives to the program. */
  arg?: readonly string[] | undefined;
  /** `NAME=value`: channel variables. */
  var?: readonly string[] | undefined;
  /** `PJSIP/agent=busy`: what becomes of a dialled endpoint. */
  answer?: readonly string[] | undefined;
  /** `name={"json":true}`: what a step returns, instead of being done. */
  step?: readonly string[] | undefined;
  /** Print the transcript and the outcome as JSON. Default false. */
  json?: boolean | undefined;
}

/** Steps do real work, with real networks. */
const STEP_PATIENCE_MS = 30_000;
/** A call of which nobody hangs up ends after this, milliseconds of simulated time. */
const LIMIT_MS = 600_000;

/** Runs a call program in simulated time, and prints what happened. @returns the exit code @throws ProgramLoadError, OptionError */
export async function testCallCommand(file: string, options: TestCallOptions = {}): Promise<number> {
  const does = pressesOf(options);
  const hangUpAfter = hangUpTime(options);
  const { outbound = false, called = '100' } = options;
  const endpoints = answersOf(options.answer ?? []);
  const simulation: SimulationOptions = {
    ...(outbound && { direction: 'outbound', callee: endpoints[called] ?? 'answers' }),
    caller: { number: options.caller, does },
    called: { number: called },
    args: options.arg ?? [],
    variables: pairsOf(options.var ?? [], '--var'),
    endpoints,
    steps: stepsOf(options.step ?? []),
    stepPatienceMs: STEP_PATIENCE_MS,
  };
  resolveSdkForPrograms();
  const path = resolve(file);
  const call = simulateCall(await loadCallProgram(path, file), simulation);
  if (hangUpAfter !== undefined) call.does([{ after: hangUpAfter, hangUp: true }]);
  let gaveUp = false;
  const otherwise = () => {
    gaveUp = true;
    call.hangUp();
  };
  const outcome = await call.ended({ withinMs: (hangUpAfter ?? 0) + LIMIT_MS, otherwise });
  const { entries } = call;
  if (options.json) process.stdout.write(`${JSON.stringify({ transcript: entries, outcome }, null, 2)}\n`);
  else
    process.stdout.write(printTranscript(entries) + printEnd({ outcome, outbound, gaveUp, thrown: call.thrown, path }));
  return outcome.error ? 1 : 0;
}
