import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { type Call, type CallProgram, defineCall, tool, z } from '@callfleet/calls';
import { simulateCall } from '@callfleet/calls/testing';
import { expect, test } from 'vitest';

/** The examples of a page: whole programs, and parts of one. */
async function examplesOf(page: string): Promise<string[]> {
  const text = await readFile(new URL(`../docs/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
}

function programOf(example: string): CallProgram {
  const code = stripTypeScriptTypes(example);
  if (!code.includes('export default'))
    return defineCall(new Function(`return async (call) => {\n${code}\n}`)() as (call: Call) => Promise<void>);
  const body = code.replace(/^import .*$/gm, '').replace('export default', 'return');
  return new Function('defineCall', 'tool', 'z', body)(defineCall, tool, z) as CallProgram;
}

const examples = await examplesOf('call-programs.md');

test.each(examples.map((example) => [example.slice(0, 60).replaceAll('\n', ' '), example]))(
  'docs/call-programs.md: %s',
  async (_, example) => {
    const call = simulateCall(programOf(example), {
      caller: { number: '4930123', does: [{ after: 400_000, hangUp: true }] },
    });
    const outcome = await call.ended();
    expect(outcome.error).toBeUndefined();
    expect(call.transcript.length).toBeGreaterThan(0);
  },
);
