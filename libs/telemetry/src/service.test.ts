import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from 'vitest';

const MOD = import.meta.resolve('./mod.ts');

let running: ChildProcess | undefined;
afterEach(() => running?.kill('SIGKILL'));

/** A service in a process of its own, whose `start` has this body. */
function run(body: string, port = 0) {
  const source = `
    import { runService } from ${JSON.stringify(MOD)};
    const config = { telemetry: { level: 'info', format: 'json', http: { host: '127.0.0.1', port: ${port} } } };
    await runService('test', () => config, async (config, service) => { ${body} });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running = child;
  const states: string[] = [];
  const errors: string[] = [];
  const listening = Promise.withResolvers<number>();
  const waiting = new Map<string, () => void>();
  child.on('message', ({ state }: { state: string }) => {
    states.push(state);
    waiting.get(state)?.();
  });
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    const { msg, port } = JSON.parse(line);
    if (msg === 'http.listening') listening.resolve(port);
  });
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    if (!line.includes('Warning')) errors.push(line);
  });
  const ended = once(child, 'close').then(([code]) => code as number);
  return {
    states,
    errors,
    ended,
    reached: (state: string) =>
      new Promise<void>((resolve) => {
        if (states.includes(state)) resolve();
        waiting.set(state, resolve);
      }),
    stop: () => child.kill('SIGTERM'),
    readyz: async () => {
      const answer = await fetch(`http://127.0.0.1:${await listening.promise}/readyz`);
      return { status: answer.status, ...((await answer.json()) as { state: string; missing: string[] }) };
    },
    port: listening.promise,
  };
}

const HELD = 'new Promise((resolve) => process.on("SIGUSR2", resolve))';

// Each starts a Node, which takes its time on a busy machine.
describe('a service', { timeout: 30_000 }, () => {
  test('goes from its start to its end, and says where it is all the while', async () => {
    const service = run(`
      service.check('room', () => 'full');
      service.onStop('connection', () => ${HELD});
      service.onDrain('calls', () => ${HELD});
      await ${HELD};`);
    await service.reached('INITIALIZED');
    await expect
      .poll(() => service.readyz(), { timeout: 10_000 })
      .toEqual({ status: 503, state: 'INITIALIZED', missing: ['room: full'] });
    const goOn = () => running?.kill('SIGUSR2');
    goOn();
    await service.reached('RUNNING');
    expect(await service.readyz()).toMatchObject({ status: 503, state: 'RUNNING' });
    service.stop();
    await service.reached('DRAINING');
    expect(await service.readyz()).toMatchObject({ status: 503, state: 'DRAINING' });
    goOn();
    await service.reached('DRAINED');
    expect(await service.readyz()).toMatchObject({ status: 503, state: 'DRAINED' });
    goOn();
    expect(await service.ended).toBe(0);
    expect(service.states).toEqual(['INITIALIZED', 'RUNNING', 'DRAINING', 'DRAINED', 'STOPPED']);
  });

  test('is not DRAINED when it still has something in hand', async () => {
    const service = run(`service.onDrain('calls', () => ${HELD}, 50);`);
    await service.reached('RUNNING');
    service.stop();
    expect(await service.ended).toBe(0);
    expect(service.states).toEqual(['INITIALIZED', 'RUNNING', 'DRAINING', 'STOPPED']);
  });

  test('hands over before it closes, the last one first', async () => {
    const service = run(`
      const say = (what) => () => console.error(what);
      service.onStop('nats', say('nats closed'));
      service.onDrain('events', say('events sent'));
      service.onStop('redis', say('redis closed'));
      service.onDrain('calls', say('calls handed over'));`);
    await service.reached('RUNNING');
    service.stop();
    await service.ended;
    expect(service.errors).toEqual(['calls handed over', 'events sent', 'redis closed', 'nats closed']);
  });

  test('that fails says so, and hands over all the same', async () => {
    const service = run(`
      service.onDrain('calls', () => console.error('calls handed over'));
      setTimeout(() => service.fail(Object.assign(new Error('Redis is gone'), { code: 'CF_TEST' })), 10);`);
    expect(await service.ended).toBe(1);
    expect(service.states).toEqual(['INITIALIZED', 'RUNNING', 'DRAINING', 'DRAINED', 'FAILED']);
    expect(service.errors).toEqual(['callfleet test: Redis is gone [CF_TEST]', 'calls handed over']);
  });

  test('that can not start has FAILED', async () => {
    const service = run(`throw Object.assign(new Error('NATS is not there'), { code: 'CF_TEST' });`);
    expect(await service.ended).toBe(1);
    expect(service.states).toEqual(['INITIALIZED', 'FAILED']);
  });

  test('whose HTTP port is taken gives up at its start with one clear line', async () => {
    const first = run('');
    const port = await first.port;
    const firstProcess = running;
    const second = run('', port);
    expect(await second.ended).toBe(1);
    expect(second.errors).toEqual([
      expect.stringMatching(/telemetry\.http can't listen on 127\.0\.0\.1:\d+: the port is in use.*\[CF_HTTP_LISTEN\]/),
    ]);
    firstProcess?.kill('SIGKILL');
  });
});
