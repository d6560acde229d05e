import { AriHttp, type AriRequest, type AriRequester, AriSocket, channels } from '@callfleet/ari';
import { createLogger } from '@callfleet/telemetry';
import { type Asterisk, startAsterisk } from '@callfleet/testkit';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { LoopLateness } from '../async/loop-lateness.ts';
import { PbxGuard } from './pbx-guard.ts';

let pbx: Asterisk;
let socket: AriSocket;
let health: AriHttp;

beforeAll(async () => {
  pbx = await startAsterisk();
});
afterAll(() => pbx?.stop());
beforeEach(async () => {
  const account = { url: pbx.httpUrl, username: pbx.username, password: pbx.password };
  health = new AriHttp(account);
  socket = await AriSocket.connect({ ...account, apps: ['bot'], onEvent: () => {}, pingIntervalMs: 60_000 });
  onTestFinished(async () => {
    process.kill(pbx.pid, 'SIGCONT');
    await socket.close();
    await health.close();
  });
});

function guarded(halfOpenAfterMs: number): { guard: PbxGuard; ari: AriRequester } {
  const loop = new LoopLateness();
  const guard = new PbxGuard({
    pbx: pbx.name,
    limits: { concurrentCommands: 64, commandsPerSecond: 1000, queuedCommands: 1000 },
    breaker: { errorThresholdPercent: 50, volume: 10, windowMs: 10_000, halfOpenAfterMs },
    timeoutMs: 5000,
    health,
    loop,
    log: createLogger('test', 'test', { level: 'silent', format: 'json' }),
  });
  onTestFinished(() => {
    guard.close();
    loop.close();
  });
  return { guard, ari: guard.over(socket) };
}

async function outcome(ari: AriRequester, request: AriRequest<unknown>): Promise<number | string> {
  return ari.request(request).then(
    ({ status }) => status,
    (error: { code: string }) => error.code,
  );
}

async function channelOn(ari: AriRequester, channelId: string): Promise<void> {
  const originate = channels.originateWithId({ channelId, endpoint: 'Local/s@echo', app: 'bot' });
  expect(await outcome(ari, originate)).toBe(200);
  await expect.poll(() => outcome(ari, play(channelId)), { timeout: 10_000 }).toBe(201);
}

/** Asks again and again, since a process that is told to stop may answer a little longer. */
async function cutOff(guard: PbxGuard, ari: AriRequester, channelId: string): Promise<void> {
  const isOpen = () => {
    void outcome(ari, play(channelId));
    return guard.isOpen('media');
  };
  await expect.poll(isOpen, { timeout: 10_000, interval: 200 }).toBe(true);
}

const play = (channelId: string) => channels.play({ channelId, media: ['sound:hello-world'] });

test('a PBX that stops answering is cut off, and has its commands again when it answers', async () => {
  const { guard, ari } = guarded(1000);
  await channelOn(ari, 'call-1');
  process.kill(pbx.pid, 'SIGSTOP');
  const hung = outcome(ari, play('call-1'));
  await cutOff(guard, ari, 'call-1');

  for (let n = 0; n < 100; n++) expect(await outcome(ari, play('call-1'))).toBe('CF_BREAKER_OPEN');

  process.kill(pbx.pid, 'SIGCONT');
  await expect.poll(() => guard.isOpen('media'), { timeout: 10_000, interval: 5 }).toBe(false);
  expect(await hung).toBe(201);
  expect(await outcome(ari, play('call-1'))).toBe(201);
  expect(await outcome(ari, channels.hangup({ channelId: 'call-1' }))).toBe(204);
});

test('hang-ups pass while plays are refused', async () => {
  const { guard, ari } = guarded(60_000);
  await channelOn(ari, 'call-2');
  process.kill(pbx.pid, 'SIGSTOP');
  const hung = outcome(ari, play('call-2'));
  await cutOff(guard, ari, 'call-2');
  process.kill(pbx.pid, 'SIGCONT');
  expect(await hung).toBe(201);
  expect(await outcome(ari, play('call-2'))).toBe('CF_BREAKER_OPEN');
  expect(await outcome(ari, channels.hangup({ channelId: 'call-2' }))).toBe(204);
});

test('phones that are not registered do not cut the PBX off', async () => {
  const { guard, ari } = guarded(60_000);
  const statuses = new Set<number | string>();
  for (let n = 0; n < 30; n++)
    statuses.add(await outcome(ari, channels.create({ channelId: `leg-${n}`, endpoint: 'PJSIP/nobody', app: 'bot' })));
  expect(guard.isOpen('originate')).toBe(false);
  expect(await outcome(ari, channels.create({ channelId: 'leg', endpoint: 'Local/s@echo', app: 'bot' }))).toBe(200);
  expect(await outcome(ari, channels.hangup({ channelId: 'leg' }))).toBe(204);
});
