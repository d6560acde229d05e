import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallEvent } from '@callfleet/bus';
import { CallTakenOverError, PbxUnreachableError } from '@callfleet/calls';
import type { CallHost } from '@callfleet/calls/runtime';
import { callIdOf } from '@callfleet/identity';
import { createLogger } from '@callfleet/telemetry';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { wallClock } from './clock.ts';
import { NoProgramThreadError, ProgramThreads } from './program-threads.ts';
import { type RunningProgram, ThreadLostError } from './supervised-thread.ts';

// Each test starts real threads.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const CHANNEL = '1763701200.12';
const call = callIdOf('pbx-a', CHANNEL);

/** By name. */
const PROGRAMS = {
  waits: `await call.gather({ firstDigitTimeoutMs: 600_000 });`,
  spins: `await call.answer(); for (;;);`,
  asks: `try { await call.answer(); } catch (error) { await call.setVariable('CAUGHT', error.constructor.name + ' ' + error.message); }`,
};

let folder: string;
let threads: ProgramThreads;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'callfleet-threads-'));
  for (const [name, body] of Object.entries(PROGRAMS))
    await writeFile(
      join(folder, `${name}.ts`),
      `import { defineCall } from '@callfleet/calls';\nexport default defineCall(async (call) => { ${body} });\n`,
    );
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  threads = await ProgramThreads.start({
    programs: Object.keys(PROGRAMS).map((name) => ({
      name,
      version: '1',
      file: join(folder, `${name}.ts`),
      extensions: ['100'],
    })),
    count: 1,
    stuckAfterMs: 1000,
    memoryMb: 128,
    onDelay: () => {},
    log: createLogger('call-worker', 'test', { level: 'silent', format: 'json' }),
  });
});
afterEach(() => threads.stop());

const spec = (program: keyof typeof PROGRAMS) => () => ({
  program: { name: program, version: '1' },
  context: {
    id: call,
    pbx: 'pbx-a',
    direction: 'inbound' as const,
    caller: { number: '1001', name: '' },
    called: { number: '100', context: 'default' },
    args: [],
    variables: {},
  },
  app: 'callfleet-1',
  connectTimeoutMs: 1000,
  maxCallMs: 3_600_000,
  maxAfterCallMs: 60_000,
  epoch: 1,
  before: [],
  events: [],
});

/** A host whose PBX takes every command, and writes it down. */
function hostOf(commands: string[] = [], answer: () => Promise<void> = async () => {}): CallHost {
  const noMedia = () => {
    throw new Error('no media here');
  };
  return {
    clock: wallClock,
    app: 'callfleet-1',
    connectTimeoutMs: 1000,
    maxCallMs: 3_600_000,
    maxAfterCallMs: 60_000,
    epoch: 1,
    journal: { before: [], append: async () => {} },
    async command<T>(_id: string, request: { method: string; route: string; query: Readonly<Record<string, string>> }) {
      commands.push(`${request.method} ${request.route} ${request.query.value ?? ''}`.trim());
      if (request.route.endsWith('/answer')) await answer();
      return { status: 204, reason: '', body: undefined as T };
    },
    openMedia: noMedia,
    knownMedia: noMedia,
    operation: (_name, _number, work) => work(),
  };
}

const ENDED: CallEvent = {
  id: '1',
  call,
  source: 'gateway-1',
  seq: 1,
  at: new Date(0).toISOString(),
  type: 'ari.ChannelDestroyed',
  data: { channel: { id: CHANNEL }, cause: 16 },
};

async function endOf(running: RunningProgram): Promise<unknown> {
  running.deliver(ENDED);
  return (await running.outcome)?.endedBy;
}

test('a program asks its host through the thread, and is told its errors as what they are', async () => {
  const commands: string[] = [];
  const running = await threads.run(
    spec('asks'),
    hostOf(commands, () => Promise.reject(PbxUnreachableError.of('answer', 'no gateway'))),
  );
  const caught = 'POST /channels/{channelId}/variable PbxUnreachableError answer: the PBX is out of reach (no gateway)';
  await expect.poll(() => commands).toContain(caught);
  await endOf(running);
});

test("a call that is another worker's comes back without an outcome", async () => {
  const taken = () => Promise.reject(new CallTakenOverError('its epoch is behind'));
  expect(await (await threads.run(spec('asks'), hostOf([], taken))).outcome).toBeUndefined();
  const running = await threads.run(spec('waits'), hostOf());
  running.abandon('another has it');
  expect(await running.outcome).toBeUndefined();
});

describe('a thread that stands still', () => {
  test('is lost to all its calls, one of them is the suspect, and the next thread takes calls', async () => {
    const waiting = await threads.run(spec('waits'), hostOf());
    const spinning = await threads.run(spec('spins'), hostOf());
    const [innocent, suspect] = await Promise.allSettled([waiting.outcome, spinning.outcome]);
    expect(innocent).toMatchObject({ reason: expect.any(ThreadLostError) });
    expect(innocent).toMatchObject({ reason: { isSuspect: false } });
    expect(suspect).toMatchObject({ reason: { isSuspect: true } });
    expect(await endOf(await threads.run(spec('waits'), hostOf()))).toBe('caller');
  });

  test('costs nobody else anything when the suspect is alone there', async () => {
    const waiting = await threads.run(spec('waits'), hostOf());
    const spinning = await threads.runAlone(spec('spins'), hostOf());
    await expect(spinning.outcome).rejects.toMatchObject({ isSuspect: true });
    expect(await endOf(waiting)).toBe('caller');
  });
});

test('eight suspects have a thread of their own, a ninth has none until one of them is done', async () => {
  const suspects = await Promise.all(Array.from({ length: 8 }, () => threads.runAlone(spec('waits'), hostOf())));
  await expect(threads.runAlone(spec('waits'), hostOf())).rejects.toThrow(NoProgramThreadError);
  for (const suspect of suspects) await endOf(suspect);
  expect(await endOf(await threads.runAlone(spec('waits'), hostOf()))).toBe('caller');
});
