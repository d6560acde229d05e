import type { RelayReply, RelayRequest } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { createLogger } from '@callfleet/telemetry';
import { describe, expect, test } from 'vitest';
import type { SessionEvent } from './media-session.ts';
import { type RelayThread, ThreadedRelay } from './threaded-relay.ts';

const call = callIdOf('pbx-a', '1763701200.12');
const sessionNo = (n: number) => `${call}~media${n}`;

/** A thread that takes everything, unless it is told what to answer. */
class SimulatedThread implements RelayThread {
  isLate = false;
  answers: RelayReply[] = [];
  readonly asked: string[] = [];
  stopped = 0;

  async ask({ op, session }: RelayRequest): Promise<RelayReply> {
    this.asked.push(`${op} ${session.split('~media')[1]}`);
    return this.answers.shift() ?? { ok: true };
  }

  async stop(): Promise<void> {
    this.stopped += 1;
  }
}

function newRelay({ maxSessions = 10 } = {}) {
  const threads: [SimulatedThread, SimulatedThread] = [new SimulatedThread(), new SimulatedThread()];
  const told: Array<[session: string, type: string]> = [];
  const announced: number[] = [];
  const relay: ThreadedRelay = new ThreadedRelay({
    ...{ relay: 'relay-1', zone: 'a', maxSessions, maxEventLoopDelayMs: 100, threads },
    log: createLogger('test', 'test', { level: 'silent', format: 'json' }),
    events: (_call, session) => (event) => told.push([session, event.type]),
    onChange: () => announced.push(relay.announcement.sessions),
  });
  return { relay, threads, told, announced };
}

const open = (n: number): RelayRequest => ({
  ...{ op: 'open', session: sessionNo(n), call, epoch: 1, pbx: 'pbx-a' },
  provider: { name: 'echo', options: {} },
});
const close = (n: number): RelayRequest => ({ op: 'close', session: sessionNo(n), call, epoch: 1, reason: 'hangup' });
const started: SessionEvent = { type: 'started', provider: 'echo' };
const ended: SessionEvent = {
  type: 'ended',
  reason: 'closed',
  detail: undefined,
  stats: {
    ...{ provider: 'echo', transport: 'rtp', talkMs: 0, usage: {} },
    heard: { packets: 0, ms: 0, peakDbfs: 0, speechMs: 0, lost: 0 },
    spoke: { packets: 0, ms: 0 },
  },
};
const full: RelayReply = { ok: false, code: 'CF_RELAY_PORTS_EXHAUSTED', message: 'no port is free' };

describe('a relay with several threads', () => {
  test('gives each new session to the emptiest thread, and asks that one of it ever after', async () => {
    const { relay, threads } = newRelay();
    for (const n of [1, 2, 3]) await relay.handle(open(n));
    relay.tell(sessionNo(1), ended);
    relay.tell(sessionNo(3), ended);
    await relay.handle(open(4));
    await relay.handle(open(2));
    await relay.handle(close(2));
    expect(threads.map(({ asked }) => asked)).toEqual([
      ['open 1', 'open 3', 'open 4'],
      ['open 2', 'open 2', 'close 2'],
    ]);
  });

  test('gives nothing new to a thread that is late, unless all are', async () => {
    const { relay, threads } = newRelay();
    threads[0].isLate = true;
    for (const n of [1, 2]) await relay.handle(open(n));
    expect(threads.map(({ asked }) => asked.length)).toEqual([0, 2]);
    expect(relay.isLate).toBe(false);
    threads[1].isLate = true;
    expect(relay.announcement.late).toBe(true);
    await relay.handle(open(3));
    expect(threads[0].asked).toEqual(['open 3']);
  });

  test('is late when the thread is that everything goes through', () => {
    const { relay } = newRelay();
    for (let second = 0; second < 3; second += 1) relay.measure(150);
    expect(relay.announcement.late).toBe(true);
    for (let second = 0; second < 5; second += 1) relay.measure(10);
    expect(relay.isLate).toBe(false);
  });

  test('announces the sessions of all threads, and takes no more than it may in all', async () => {
    const { relay, announced } = newRelay({ maxSessions: 3 });
    for (const n of [1, 2, 3]) expect(await relay.handle(open(n))).toEqual({ ok: true });
    expect(await relay.handle(open(4))).toMatchObject({ ok: false, code: 'CF_RELAY_FULL' });
    expect(relay.announcement).toMatchObject({ sessions: 3, maxSessions: 3 });
    relay.tell(sessionNo(2), ended);
    expect(await relay.handle(open(4))).toEqual({ ok: true });
    expect(announced).toEqual([1, 2, 3, 2, 3]);
  });

  test('tells what sessions told, the end as the last, and still asks their thread what it measured', async () => {
    const { relay, threads, told } = newRelay();
    await relay.handle(open(1));
    for (const event of [started, ended, started, ended]) relay.tell(sessionNo(1), event);
    relay.tell(sessionNo(7), started);
    expect(told).toEqual([
      [sessionNo(1), 'started'],
      [sessionNo(1), 'ended'],
    ]);
    await relay.handle(close(1));
    await relay.handle(open(1));
    expect(threads.map(({ asked }) => asked)).toEqual([['open 1', 'close 1', 'open 1'], []]);
    expect(relay.announcement.sessions).toBe(0);
  });

  test('forgets where it was of a session that was never opened: another thread may have room', async () => {
    const { relay, threads } = newRelay();
    threads[0].answers = [full];
    expect(await relay.handle(open(1))).toEqual(full);
    expect(relay.announcement.sessions).toBe(0);
    await relay.handle(open(2));
    expect(await relay.handle(open(1))).toEqual({ ok: true });
    expect(threads.map(({ asked }) => asked)).toEqual([['open 1', 'open 2'], ['open 1']]);
  });

  test('keeps a session of which one of two requests to open it was refused', async () => {
    const { relay, threads } = newRelay();
    threads[0].answers = [{ ok: false, code: 'CF_RELAY_FENCED', message: 'an old epoch' }];
    const replies = await Promise.all([relay.handle(open(1)), relay.handle(open(1))]);
    expect(replies.map(({ ok }) => ok)).toEqual([false, true]);
    threads[0].answers = [{ ok: false, code: 'CF_RELAY_FENCED', message: 'an old epoch' }];
    await relay.handle(open(1));
    expect(relay.announcement.sessions).toBe(1);
    expect(await relay.handle(close(1))).toEqual({ ok: true });
  });

  test('knows nothing of sessions that it does not have', async () => {
    const { relay, threads } = newRelay();
    expect(await relay.handle(close(1))).toMatchObject({ ok: false, code: 'CF_SESSION_UNKNOWN' });
    expect(threads.map(({ asked }) => asked)).toEqual([[], []]);
  });

  test('that stops takes nothing new, and stops all its threads', async () => {
    const { relay, threads, announced } = newRelay();
    await relay.handle(open(1));
    await relay.stop();
    expect(threads.map(({ stopped }) => stopped)).toEqual([1, 1]);
    expect(relay.announcement).toMatchObject({ draining: true, sessions: 1 });
    expect(announced).toEqual([1, 1]);
    expect(await relay.handle(open(2))).toMatchObject({ ok: false, code: 'CF_RELAY_DRAINING' });
    expect(await relay.handle(close(1)), 'what it measured').toEqual({ ok: true });
  });

  test('remembers so many ended sessions and no more', async () => {
    const { relay } = newRelay();
    for (let n = 1; n <= 2001; n += 1) {
      await relay.handle(open(n));
      relay.tell(sessionNo(n), ended);
    }
    expect(await relay.handle(close(1))).toMatchObject({ code: 'CF_SESSION_UNKNOWN' });
    expect(await relay.handle(close(2))).toEqual({ ok: true });
  });
});
