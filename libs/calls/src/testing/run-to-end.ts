import { expect } from 'vitest';
import { type Call, type CallError, defineCall } from '../mod.ts';
import { type SimulationOptions, simulateCall } from './mod.ts';

export async function run(program: (call: Call) => Promise<unknown>, options: SimulationOptions = {}) {
  const call = simulateCall(
    defineCall(async (it) => void (await program(it))),
    options,
  );
  const outcome = await call.ended();
  expect(outcome.error).toBeUndefined();
  return { call, outcome, transcript: call.transcript };
}

export const codeOf = (error: unknown) => (error as CallError).code;
