import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Child, ChildError, type ChildOptions, spawnChild } from './mod.ts';

const script = (text: string, options: Partial<ChildOptions> = {}): Promise<Child> =>
  spawnChild({ name: 'a script', command: 'sh', args: ['-c', text], ...options });

test('is ready when a line says so', async () => {
  const lines: string[] = [];
  const child = await script('echo starting; echo ready >&2; exec sleep 60', {
    ready: { line: (line) => line === 'ready' },
    onLine: (stream, line) => lines.push(`${stream} ${line}`),
  });
  expect(lines.toSorted()).toEqual(['stderr ready', 'stdout starting']);
  expect(await child.stop()).toEqual({ code: null, signal: 'SIGTERM' });
});

test('is ready when a probe says so', async () => {
  let asked = 0;
  const child = await script('exec sleep 60', {
    ready: {
      everyMs: 1,
      async probe() {
        asked += 1;
        if (asked === 1) throw new Error('connection refused');
        return asked === 3;
      },
    },
  });
  expect(asked).toBe(3);
  await child.stop();
});

test('a child that ends before it is ready says why', async () => {
  const failure = await script('echo address in use; exit 3', { ready: { line: () => false } }).catch((error) => error);
  expect(failure).toBeInstanceOf(ChildError);
  expect(failure).toMatchObject({ code: 'CF_CHILD_EXITED', child: 'a script', lastLines: ['address in use'] });
  expect(failure.message).toContain('ended with code 3');
});

test('a child that does not become ready is killed', async () => {
  let pid = 0;
  const failure = await script('echo $$; exec sleep 60', {
    ready: { line: () => false },
    readyTimeoutMs: 300,
    onLine: (_, line) => {
      pid = Number(line);
    },
  }).catch((error) => error);
  expect(failure).toMatchObject({ code: 'CF_CHILD_NOT_READY' });
  expect(isAlive(pid)).toBe(false);
});

test('a program that does not exist is named', async () => {
  await expect(spawnChild({ name: 'it', command: 'no-such-program' })).rejects.toMatchObject({
    code: 'CF_CHILD_NOT_STARTED',
    message: expect.stringContaining('no-such-program'),
  });
});

test('a child that ignores SIGTERM is killed after the time limit', async () => {
  const child = await script('trap "" TERM; echo up; while :; do sleep 60; done', {
    ready: { line: (line) => line === 'up' },
    stopTimeoutMs: 100,
  });
  expect(await child.stop()).toEqual({ code: null, signal: 'SIGKILL' });
});

test('what a child started is gone with it', async () => {
  let grandchild = 0;
  const child = await script('sleep 60 & echo $!; wait', {
    ready: {
      line: (line) => {
        grandchild = Number(line);
        return true;
      },
    },
  });
  expect(isAlive(grandchild)).toBe(true);
  child.kill();
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await until(() => !isAlive(grandchild));
});

test('an aborted signal stops the child', async () => {
  const owner = new AbortController();
  const child = await script('exec sleep 60', { signal: owner.signal });
  owner.abort();
  expect((await child.exited).signal).toBe('SIGTERM');
});

test('stopping twice, or a child that is gone, is harmless', async () => {
  const child = await script('exit 4');
  expect(await child.exited).toEqual({ code: 4, signal: null });
  expect(await child.stop()).toEqual({ code: 4, signal: null });
  child.kill();
});

test.runIf(process.platform === 'linux')('a child dies with us, even of kill -9', async () => {
  const source = `
    import { spawnChild } from ${JSON.stringify(import.meta.resolve('./mod.ts'))};
    const child = await spawnChild({ name: 'it', command: 'sleep', args: ['60'] });
    console.log(child.pid);
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(owner.stdout), 'line');
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  owner.kill('SIGKILL');
  await until(() => !isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('this did not happen within 5 s');
    await sleep(5);
  }
}
