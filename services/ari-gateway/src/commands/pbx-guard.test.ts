import {
  AriClosedError,
  type AriRequest,
  type AriRequester,
  AriTimeoutError,
  asterisk,
  channels,
  playbacks,
} from '@callfleet/ari';
import { createLogger } from '@callfleet/telemetry';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LoopLateness } from '../async/loop-lateness.ts';
import { PbxGuard, type PbxGuardOptions } from './pbx-guard.ts';

const channelId = 'channel';
const play = (n = 0) => channels.playWithId({ channelId, playbackId: `play-${n}`, media: 'sound:menu' });
const hangup = channels.hangup({ channelId });
const read = channels.getChannelVar({ channelId, variable: 'X' });
const dial = channels.create({ endpoint: 'PJSIP/1', app: 'a' });

/** What the PBX does with a request: the status of its answer, or nothing until the time limit. */
type Behaviour = number | 'hangs' | 'closes';

let behaviour: (request: AriRequest<unknown>) => Behaviour;
let takesMs: number;
let sent: string[];
let pings: number;
let guard: PbxGuard;
let ari: AriRequester;
/** For so long our own event loop has stood still. */
let stoodMs: number;
let loop: LoopLateness;

const pbx = {
  request: (request, { timeoutMs = 5000 } = {}) =>
    new Promise((resolve, reject) => {
      const { method, route } = request;
      if (request.path === asterisk.ping().path) pings += 1;
      else sent.push(request.path);
      const does = behaviour(request);
      const details = { url: 'http://pbx-a', mayHaveRun: true };
      if (does === 'hangs') setTimeout(() => reject(new AriTimeoutError('no answer', details)), timeoutMs);
      else if (does === 'closes') reject(new AriClosedError('closed', details));
      else
        setTimeout(
          () =>
            resolve(
              (does < 400
                ? { ok: true, status: does, reason: '', method, route, url: '', body: undefined }
                : { ok: false, status: does, reason: '', method, route, url: '', body: {}, refusal: 'no' }) as never,
            ),
          takesMs,
        );
    }),
} as AriRequester;

function guardWith(limits: Partial<PbxGuardOptions['limits']> = {}): void {
  guard = new PbxGuard({
    pbx: 'pbx-a',
    limits: { concurrentCommands: 64, commandsPerSecond: 1000, queuedCommands: 1000, ...limits },
    breaker: { errorThresholdPercent: 50, volume: 10, windowMs: 10_000, halfOpenAfterMs: 1000 },
    timeoutMs: 5000,
    health: pbx,
    loop,
    log: createLogger('test', 'test', { level: 'silent', format: 'json' }),
  });
  ari = guard.over(pbx);
}

/** What comes of it: a status, or an error's code. */
const ask = (request: AriRequest<unknown>) =>
  ari.request(request).then(
    ({ status }) => status,
    (error: { code: string }) => error.code,
  );

async function asked(request: AriRequest<unknown>): Promise<number | string> {
  const outcome = ask(request);
  await vi.advanceTimersByTimeAsync(takesMs);
  return outcome;
}

beforeEach(() => {
  vi.useFakeTimers();
  behaviour = () => 204;
  takesMs = 1;
  sent = [];
  pings = 0;
  stoodMs = 0;
  loop = new LoopLateness(() => performance.now() + stoodMs);
  guardWith();
});
afterEach(() => {
  guard.close();
  loop.close();
  vi.useRealTimers();
});

describe('a PBX that is busy', () => {
  beforeEach(() => {
    takesMs = 100;
    guardWith({ concurrentCommands: 2, queuedCommands: 2 });
  });

  test('gets no more commands at once than it may, and the rest in order', async () => {
    const outcomes = [1, 2, 3, 4].map((n) => ask(play(n)));
    expect(sent).toHaveLength(2);
    expect(guard.waiting).toBe(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(await Promise.all(outcomes)).toEqual([204, 204, 204, 204]);
    expect(sent).toEqual([1, 2, 3, 4].map((n) => play(n).path));
  });

  test('is spared what is above the bound: its sender knows at once', async () => {
    for (const n of [1, 2, 3, 4]) void ask(play(n));
    expect(await ask(play(5))).toBe('CF_PBX_BUSY');
    expect(sent).toHaveLength(2);
  });

  test('gets a hang-up at once, before all that waits', async () => {
    for (const n of [1, 2, 3, 4]) void ask(play(n));
    void ask(channels.hangup({ channelId: 'another' }));
    expect(sent.at(-1)).toBe('channels/another');
  });

  test('does not begin a playback that was stopped while it waited', async () => {
    for (const n of [1, 2, 3]) void ask(play(n));
    const waiting = ask(play(4));
    expect(await asked(playbacks.stop({ playbackId: 'play-4' }))).toBe(204);
    expect(await waiting).toBe('CF_PBX_BUSY');
    await vi.advanceTimersByTimeAsync(1000);
    expect(sent).not.toContain(play(4).path);
    expect(sent).toContain(play(3).path);
  });
});

describe('a PBX that hangs', () => {
  beforeEach(() => {
    behaviour = () => 'hangs';
  });

  test('is found out by a ping long before a command times out', async () => {
    void ask(play());
    await vi.advanceTimersByTimeAsync(999);
    expect(pings).toBe(0);
    await vi.advanceTimersByTimeAsync(501);
    expect(guard.isOpen('media')).toBe(true);
    expect(await ask(play())).toBe('CF_BREAKER_OPEN');
    expect(sent).toHaveLength(1);
  });

  test('what waited for it is refused with the rest', async () => {
    guardWith({ concurrentCommands: 1 });
    void ask(play());
    const [waiting, reading] = [ask(play()), ask(read)];
    await vi.advanceTimersByTimeAsync(1500);
    expect(await waiting).toBe('CF_BREAKER_OPEN');
    expect(guard.waiting, 'a read may still wait').toBe(1);
    behaviour = () => 204;
    await vi.advanceTimersByTimeAsync(4000);
    expect(await reading).toBe(204);
  });

  test('still gets hang-ups, as long as none has hung', async () => {
    void ask(play());
    await vi.advanceTimersByTimeAsync(1500);
    behaviour = ({ method }) => (method === 'DELETE' ? 204 : 'hangs');
    expect(await asked(hangup)).toBe(204);
    expect(await ask(play())).toBe('CF_BREAKER_OPEN');
  });

  test('is asked by pings alone whether it is back, and has its commands again when it is', async () => {
    void ask(play());
    await vi.advanceTimersByTimeAsync(1500);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toHaveLength(1);
    expect(guard.isOpen('media')).toBe(true);
    behaviour = () => 204;
    await vi.advanceTimersByTimeAsync(1510);
    expect(guard.isOpen('media')).toBe(false);
    expect(await asked(play())).toBe(204);
  });

  test('is not cut off again for what it failed before', async () => {
    for (let n = 0; n < 20; n++) void ask(play(n));
    await vi.advanceTimersByTimeAsync(1500);
    behaviour = () => 204;
    // Back before the first commands time out, which they then do.
    await vi.advanceTimersByTimeAsync(1010);
    expect(guard.isOpen('media')).toBe(false);
    await vi.advanceTimersByTimeAsync(5000);
    expect(guard.isOpen('media')).toBe(false);
    for (let n = 0; n < 10; n++) await asked(play());
    behaviour = ({ route }) => (route === asterisk.ping().route ? 200 : 'closes');
    await asked(play());
    expect(guard.isOpen('media')).toBe(false);
  });
});

describe('a gateway that is overrun', () => {
  /** Every other moment its event loop stands still, and answers lie unread. */
  const overrun = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      stoodMs += 50;
      await vi.advanceTimersByTimeAsync(50);
    }
  };

  beforeEach(() => {
    behaviour = () => 'hangs';
  });

  test('does not cut off a PBX for what it did not read in time itself, neither answers nor pings', async () => {
    for (let n = 0; n < 20; n++) void ask(play(n));
    await overrun(6000);
    expect(pings).toBeGreaterThan(2);
    expect(guard.isOpen('media')).toBe(false);
    behaviour = () => 204;
    expect(await asked(play())).toBe(204);
  });

  test('finds out one that hangs when it is itself again', async () => {
    void ask(play());
    await overrun(2000);
    expect(guard.isOpen('media')).toBe(false);
    await vi.advanceTimersByTimeAsync(1550);
    expect(guard.isOpen('media')).toBe(true);
  });

  test('does not take one for well that it could not ask', async () => {
    void ask(play());
    await vi.advanceTimersByTimeAsync(1500);
    expect(guard.isOpen('media')).toBe(true);
    await overrun(6000);
    expect(guard.isOpen('media')).toBe(true);
    behaviour = () => 204;
    await vi.advanceTimersByTimeAsync(1550);
    expect(guard.isOpen('media')).toBe(false);
  });

  test('still cuts off one that says itself that it is in trouble', async () => {
    behaviour = ({ route }) => (route === play().route ? 503 : 204);
    for (let n = 0; n < 10; n++) void ask(play(n));
    await overrun(100);
    expect(guard.isOpen('media')).toBe(true);
  });
});

test('a PBX that is gone is cut off with the first command that finds it so', async () => {
  behaviour = () => 'closes';
  expect(await asked(play())).toBe('CF_ARI_CLOSED');
  expect(await ask(play())).toBe('CF_BREAKER_OPEN');
});

describe('a command that takes long', () => {
  test('cuts off nobody while the PBX answers pings', async () => {
    takesMs = 3000;
    const slow = ask(play());
    takesMs = 1;
    await vi.advanceTimersByTimeAsync(3000);
    expect(await slow).toBe(204);
    expect(pings).toBe(2);
    expect(guard.isOpen('media')).toBe(false);
  });
});

describe('a PBX that answers pings', () => {
  test.each([
    [503, 'read', read],
    [500, 'media', play()],
    ['closes', 'media', play()],
  ] as const)('and fails (%s) too many %s commands is cut off from those', async (failure, commandClass, request) => {
    behaviour = ({ route }) => (route === request.route ? failure : 204);
    for (let n = 0; n < 9; n++) await asked(request);
    expect(guard.isOpen(commandClass)).toBe(false);
    await asked(request);
    expect(guard.isOpen(commandClass)).toBe(true);
    expect(await asked(hangup)).toBe(204);
  });

  test('is not cut off when a connection to it breaks, with whatever was under way on it', async () => {
    const broken = Promise.withResolvers<void>();
    const closing = guard.over({
      request: async () => {
        await broken.promise;
        throw new AriClosedError('closed', { url: 'http://pbx-a', mayHaveRun: true });
      },
    });
    const lost = Array.from({ length: 30 }, (_, n) => closing.request(play(n)).catch(({ code }) => code));
    await vi.advanceTimersByTimeAsync(100);
    broken.resolve();
    expect(new Set(await Promise.all(lost))).toEqual(new Set(['CF_ARI_CLOSED']));
    expect(guard.isOpen('media')).toBe(false);
    behaviour = () => 204;
    expect(await asked(play())).toBe(204);
  });

  test('is not cut off again at the first failure after it was', async () => {
    behaviour = ({ route }) => (route === play().route ? 503 : 200);
    for (let n = 0; n < 10; n++) await asked(play());
    expect(guard.isOpen('media')).toBe(true);
    await vi.advanceTimersByTimeAsync(1010);
    for (let n = 0; n < 9; n++) expect(await asked(play())).toBe(503);
    expect(guard.isOpen('media')).toBe(false);
  });

  test.each([
    [404, 'what is gone', play()],
    [409, 'what is there', play()],
    [500, 'phones that are not registered', dial],
  ] as const)('and says %s of %s is well', async (status, _, request) => {
    behaviour = () => status;
    for (let n = 0; n < 50; n++) expect(await asked(request)).toBe(status);
  });

  test('and fails every third is not cut off', async () => {
    let n = 0;
    behaviour = () => (++n % 3 === 0 ? 500 : 204);
    for (let times = 0; times < 60; times++) await asked(play());
    expect(guard.isOpen('media')).toBe(false);
  });
});
