import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Standing } from './standing.ts';

const TTL_MS = 5000;

let now: number;
let reaffirmed: number;
let reaffirm: () => Promise<void>;
let changes: boolean[];
let standing: Standing;
const never = new AbortController().signal;

beforeEach(() => {
  now = 1000;
  reaffirmed = 0;
  changes = [];
  reaffirm = async () => {
    reaffirmed += 1;
  };
  standing = new Standing({
    ttlMs: TTL_MS,
    now: () => now,
    reaffirm: () => reaffirm(),
    onChange: (isCertain) => changes.push(isCertain),
  });
  standing.proven(now);
});

/** Whether it may act without having to ask for anything first. */
async function isCertain(): Promise<boolean> {
  const before = reaffirmed;
  await standing.certain(never);
  return reaffirmed === before;
}

describe('a worker is certain of its calls', () => {
  test('as long as its last proof is younger than its session lives, with a margin', async () => {
    now += TTL_MS * 0.79;
    expect(await isCertain()).toBe(true);
    now += TTL_MS * 0.01;
    expect(await isCertain()).toBe(false);
  });

  test('through Redis alone or NATS alone: each proof counts', async () => {
    for (let i = 0; i < 20; i += 1) {
      now += TTL_MS / 2;
      standing.proven(now - 10);
      expect(await isCertain()).toBe(true);
    }
    expect(changes).toEqual([]);
  });

  test('by when the proof was asked for, not by when it came', async () => {
    const askedAt = now;
    now += TTL_MS;
    standing.proven(askedAt);
    expect(await isCertain()).toBe(false);
  });

  test('by its latest proof, in whatever order they come', async () => {
    standing.proven(now + 1000);
    standing.proven(now);
    now += TTL_MS * 0.9;
    expect(await isCertain()).toBe(true);
  });
});

describe('a worker that was suspended', () => {
  test('does not act before it knows what is still its own, and then goes on', async () => {
    const asking = Promise.withResolvers<void>();
    reaffirm = () => asking.promise;
    now += TTL_MS;
    let acted = false;
    const acting = standing.certain(never).then(() => {
      acted = true;
    });
    await wait(20);
    expect(acted).toBe(false);
    asking.resolve();
    await acting;
    expect(changes).toEqual([false, true]);
    expect(await isCertain()).toBe(true);
  });

  test('is not made certain by an answer that comes after it woke: somebody may have taken its calls before', async () => {
    reaffirm = () => new Promise(() => {});
    now += TTL_MS;
    standing.proven(now);
    await expect(standing.certain(never, 20)).rejects.toMatchObject({ code: 'CF_WORKER_NOT_CERTAIN' });
  });

  test('asks once, however many commands wait', async () => {
    now += TTL_MS;
    await Promise.all(Array.from({ length: 100 }, () => standing.certain(never)));
    expect(reaffirmed).toBe(1);
  });

  test('asks again and again while nobody answers', async () => {
    vi.useFakeTimers();
    try {
      let failures = 3;
      reaffirm = async () => {
        if (failures-- > 0) throw new Error('Redis is away');
      };
      now += TTL_MS;
      const acting = standing.certain(never);
      await vi.advanceTimersByTimeAsync(1000);
      await acting;
      expect(failures).toBe(-1);
    } finally {
      vi.useRealTimers();
    }
  });

  test('and again when it was suspended while it asked', async () => {
    let asked = 0;
    reaffirm = async () => {
      asked += 1;
      if (asked === 1) now += TTL_MS;
    };
    now += TTL_MS;
    await standing.certain(never);
    expect(asked).toBe(2);
  });
});

describe('waiting for certainty ends', () => {
  beforeEach(() => {
    reaffirm = () => new Promise(() => {});
    now += TTL_MS;
  });

  test('with the time limit of what waits', async () => {
    await expect(standing.certain(never, 20)).rejects.toMatchObject({ code: 'CF_WORKER_NOT_CERTAIN' });
  });

  test('when the call is not this worker’s any more', async () => {
    const part = new AbortController();
    const acting = standing.certain(part.signal);
    part.abort(new Error('lost'));
    await expect(acting).rejects.toThrow('lost');
  });
});

test('what a worker has let go of it does not act for, however certain it is', async () => {
  await expect(standing.certain(AbortSignal.abort(new Error('lost')))).rejects.toThrow('lost');
});

test('a call that turns out to be another’s is not acted for when certainty is back', async () => {
  const part = new AbortController();
  reaffirm = async () => part.abort(new Error('lost'));
  now += TTL_MS;
  await expect(standing.certain(part.signal)).rejects.toThrow('lost');
});
