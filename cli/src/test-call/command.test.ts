import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const IVR = fileURLToPath(new URL('../../../examples/ivr.ts', import.meta.url));

let folder: string;

// Each starts processes, which takes long on a machine that is busy.
vi.setConfig({ testTimeout: 30_000 });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'callfleet-test-call-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs `callfleet test-call`, as a shell would. */
function testCall(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'test-call', ...args], (error, output, errors) =>
      resolve({ code: error ? Number(error.code) : 0, output, errors }),
    );
  });
}

/** A call program in a file of its own, outside of the checkout. */
async function programFile(name: string, body: string): Promise<string> {
  const file = join(folder, name);
  const text = `import { defineCall } from '@callfleet/calls';\nexport default defineCall(async (call) => {\n${body}\n});\n`;
  await writeFile(file, text);
  return file;
}

test('prints what the program and the caller do, with simulated times, and how the call ended', async () => {
  const { code, output } = await testCall(IVR, '--dtmf', '7,2', '--press-after', '500ms', '--caller', '42');
  expect(output).toBe(`0.000  program  answer
0.000  program  gather
0.000  program  play sound:hello-world
0.500  caller   presses 7
0.500  program  play sound:pbx-invalid
1.500  program  gather
1.500  program  play sound:hello-world
2.000  caller   presses 2
2.000  program  play digits:42
3.000  program  play sound:vm-goodbye
4.000  program  hangup

The call is over: the program hung up (16 Normal Clearing).
`);
  expect(code).toBe(0);
});

test('the caller hangs up when told to, or when nothing else would end the call', async () => {
  const told = await testCall(IVR, '--dtmf', '1', '--hangup-after', '9s');
  expect(told.output).toContain(
    '9.000  caller   hangs up\n\nThe call is over: the caller hung up (16 Normal Clearing).',
  );
  const left = await testCall(IVR, '--dtmf', '1');
  expect(left.output).toContain('the caller hung up, since the program did not end it');
  expect(left.code).toBe(0);
});

test('endpoints, arguments, variables and steps are as the command line says', async () => {
  const file = await programFile(
    'dials.ts',
    `const { vip } = await call.step('look up', (): { vip: boolean } => { throw new Error('not for real'); });
     const dialed = await call.dial(call.args[0] + '/' + call.called.number);
     await call.setVariable('TOLD', [vip, dialed.answered ? 'answered' : dialed.reason, call.variables.LANGUAGE].join(' '));`,
  );
  const scripted = ['--called', '300', '--arg', 'PJSIP', '--var', 'LANGUAGE=de', '--step', 'look up={"vip":true}'];
  const { code, output } = await testCall(file, ...scripted, '--answer', 'PJSIP/300=busy', '--json');
  const { transcript, outcome } = JSON.parse(output) as { transcript: unknown[]; outcome: unknown };
  expect(code).toBe(0);
  expect(transcript).toContainEqual({ atMs: 1000, by: 'PJSIP/300', what: 'is busy' });
  expect(transcript).toContainEqual({ atMs: 1000, by: 'program', what: 'setVariable TOLD=true busy de' });
  expect(outcome).toMatchObject({ endedBy: 'program' });
});

describe('a call that is placed', () => {
  const asks = `const { digits } = await call.gather({ prompt: 'sound:hello-world' });
    await call.setVariable('PRESSED', [digits, call.direction, call.called.number, call.called.context].join(' '));`;

  test('rings first, and then the scripted caller is who was called', async () => {
    const file = await programFile('reminder.ts', asks);
    const { code, output } = await testCall(file, '--outbound', '--called', 'PJSIP/alice', '--dtmf', '1');
    expect(output).toBe(`0.000  callfleet  dials PJSIP/alice
1.000  callee     answers
1.000  program    gather
1.000  program    play sound:hello-world
2.000  callee     presses 1
2.000  program    setVariable PRESSED=1 outbound PJSIP/alice\u0020
2.000  program    hangup

The call is over: the program hung up (16 Normal Clearing).
`);
    expect(code).toBe(0);
    const short = await testCall(file, '--outbound', '--hangup-after', '3s');
    expect(short.output).toContain('4.000  callee     hangs up\n\nThe call is over: the callee hung up (16 ');
  });

  test.each([
    ['busy', '1.000  callee     is busy', '(17 User busy)'],
    ['no-answer', '30.000  callee     stops ringing', '(19 User alerting, no answer)'],
    ['unreachable', '0.000  callee     is unreachable', ''],
  ])('and that is %s does not begin the program', async (answer, line, cause) => {
    const file = await programFile('reminder.ts', asks);
    const { output } = await testCall(file, '--outbound', '--called', '+4930', '--answer', `+4930=${answer}`);
    expect(output).toContain(line);
    expect(output).toContain(`The call is over: nobody answered${cause && ` ${cause}`}.`);
    expect(output).not.toContain('program');
  });
});

test('a program that fails is told with its error and its line', async () => {
  const file = await programFile('throws.ts', `await call.answer();\nthrow new Error('out of luck');`);
  const { code, output } = await testCall(file);
  expect(code).toBe(1);
  expect(output).toContain('The call is over: the program failed.\nError: out of luck [CF_PROGRAM_FAILED]\n');
  expect(output).toMatch(/throws\.ts:4:7/);
});

describe('what can not be run is told in words, without a stack trace:', () => {
  test.each([
    ['no such file', ['/nowhere/x.ts'], "/nowhere/x.ts can't be loaded"],
    ['no call program in it', [MAIN.replace('main.ts', 'signals.ts')], 'has no default export made by defineCall'],
    ['digits', [IVR, '--dtmf', '1,x'], '--dtmf: "x" is no row of digits'],
    ['durations', [IVR, '--hangup-after', 'soon'], '--hangup-after: "soon" is no duration; accepted: 3s'],
    ['answers', [IVR, '--answer', 'PJSIP/a=maybe'], 'accepted: answers, busy'],
    ['variables', [IVR, '--var', 'x'], '--var: "x" has no name and value'],
    ['steps', [IVR, '--step', 'a=b'], 'what "a" returns is no JSON: b'],
  ])('%s', async (_what, args, message) => {
    const { code, output, errors } = await testCall(...args);
    expect(code).toBe(1);
    expect(errors).toContain(message);
    expect(output + errors).not.toMatch(/^\s+at /m);
  });
});
