import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CommandQueue } from './command-queue.ts';
import { CommandRefusedError } from './command-refused-error.ts';
import { TokenBucket } from './token-bucket.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const now = () => performance.now();
const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe('a command', () => {
  test('is started at once where there is room, in the same turn', () => {
    const queue = new CommandQueue({ concurrent: 1, queued: 1 }, now);
    let started = false;
    void queue.run('it', 1000, async () => {
      started = true;
    });
    expect(started).toBe(true);
  });

  test('above the bound is refused at once', async () => {
    const queue = new CommandQueue({ concurrent: 1, queued: 1 }, now);
    void queue.run('first', 1000, () => after(10));
    const second = queue.run('second', 1000, async () => 'done');
    await expect(queue.run('third', 1000, async () => {})).rejects.toMatchObject({ code: 'CF_PBX_BUSY' });
    await vi.advanceTimersByTimeAsync(10);
    expect(await second).toBe('done');
  });

  test('whose time limit runs out while it waits is never started', async () => {
    const queue = new CommandQueue({ concurrent: 1, queued: 9 }, now);
    void queue.run('slow', 1000, () => after(300));
    let started = false;
    const late = queue.run('late', 200, async () => {
      started = true;
    });
    const refused = expect(late).rejects.toMatchObject({
      code: 'CF_PBX_BUSY',
      message: expect.stringContaining('200 ms'),
    });
    await vi.advanceTimersByTimeAsync(1000);
    await refused;
    expect(started).toBe(false);
    expect(queue.waiting).toBe(0);
  });

  test('that waited has only the rest of its time', async () => {
    const queue = new CommandQueue({ concurrent: 1, queued: 9 }, now);
    void queue.run('slow', 1000, () => after(300));
    const left = queue.run('next', 1000, async (leftMs) => leftMs);
    await vi.advanceTimersByTimeAsync(300);
    expect(await left).toBe(700);
  });

  test.each([
    ['another one ends', new CommandQueue({ concurrent: 1, queued: 9 }, now)],
    ['there is a token', new CommandQueue({ concurrent: 9, queued: 9, rate: new TokenBucket(1, now) }, now)],
  ])('whose turn comes when %s is in the trace of the call that it is for', async (_, queue) => {
    const trace = new AsyncLocalStorage<string>();
    const started: unknown[] = [];
    const run = (call: string) =>
      trace.run(call, () =>
        queue.run(call, 9000, async () => {
          started.push([call, trace.getStore()]);
          await after(300);
        }),
      );
    const all = ['a', 'b', 'c'].map(run);
    await vi.advanceTimersByTimeAsync(5000);
    await Promise.all(all);
    expect(started).toEqual(['a', 'b', 'c'].map((call) => [call, call]));
  });
});

test('no more a second than the rate, and a second of it at once', async () => {
  const queue = new CommandQueue({ concurrent: 1000, queued: 1000, rate: new TokenBucket(10, now) }, now);
  let started = 0;
  for (let n = 0; n < 30; n++)
    void queue.run(n, 10_000, async () => {
      started += 1;
    });
  expect(started).toBe(10);
  await vi.advanceTimersByTimeAsync(1000);
  expect(started).toBe(20);
  await vi.advanceTimersByTimeAsync(1000);
  expect(started).toBe(30);
});

test('nobody overtakes those that wait, however late the timer that wakes them', async () => {
  let at = 0;
  const clock = () => at;
  const queue = new CommandQueue({ concurrent: 9, queued: 9, rate: new TokenBucket(1, clock) }, clock);
  const started: string[] = [];
  const run = (name: string) => void queue.run(name, 10_000, async () => started.push(name));
  run('first');
  run('second');
  at = 5000;
  run('third');
  expect(started).toEqual(['first']);
  await vi.advanceTimersByTimeAsync(1000);
  expect(started.slice(0, 2)).toEqual(['first', 'second']);
});

const command = fc.record({
  afterMs: fc.nat(20),
  takesMs: fc.integer({ min: 1, max: 60 }),
  timeoutMs: fc.integer({ min: 1, max: 80 }),
  fails: fc.boolean(),
});

test('whatever comes: order is kept, bounds hold, and each is started or refused, once', async () => {
  const seen = { refused: 0, waited: 0, full: 0 };
  const property = fc.asyncProperty(
    fc.array(command, { minLength: 1, maxLength: 60 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 5, max: 500 }),
    async (commands, concurrent, queued, perSecond) => {
      const queue = new CommandQueue({ concurrent, queued, rate: new TokenBucket(perSecond, now) }, now);
      const startedAt: Array<{ n: number; at: number }> = [];
      let underWay = 0;
      const results: Promise<unknown>[] = [];
      const from = now();
      for (const [n, { afterMs, takesMs, timeoutMs, fails }] of commands.entries()) {
        await vi.advanceTimersByTimeAsync(afterMs);
        const asked = now();
        const wasFull = queue.waiting === queued;
        const result = queue.run(n, timeoutMs, async (leftMs) => {
          startedAt.push({ n, at: now() });
          underWay += 1;
          expect(underWay).toBeLessThanOrEqual(concurrent);
          expect(leftMs).toBeGreaterThan(0);
          if (now() > asked) seen.waited += 1;
          expect(now() - asked, 'started within its time limit').toBeLessThanOrEqual(timeoutMs);
          await after(takesMs);
          underWay -= 1;
          if (fails) throw new Error('it failed');
        });
        if (wasFull) seen.full += 1;
        expect(queue.waiting).toBeLessThanOrEqual(queued);
        results.push(
          result.then(
            () => 'done',
            (error: unknown) => (error instanceof CommandRefusedError ? 'refused' : 'failed'),
          ),
        );
      }
      await vi.advanceTimersByTimeAsync(10_000);
      const outcomes = await Promise.all(results);
      const order = startedAt.map(({ n }) => n);
      expect(order, 'in the order in which they came, each once').toEqual(
        [...new Set(order)].toSorted((a, b) => a - b),
      );
      const wasStarted = outcomes.flatMap((outcome, n) => (outcome === 'refused' ? [] : [n]));
      expect(order, 'refused is not started, and the rest is').toEqual(wasStarted);
      seen.refused += outcomes.length - wasStarted.length;
      for (const [count, { at }] of startedAt.entries())
        expect(count + 1, 'the rate').toBeLessThanOrEqual(perSecond * (1 + (at - from) / 1000) + 1e-6);
      expect([queue.waiting, queue.underWay]).toEqual([0, 0]);
    },
  );
  await fc.assert(property, { numRuns: 200 });
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(20);
}, 30_000);
