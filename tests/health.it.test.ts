import { placeCall } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type HttpFleet, startHttpFleet } from './fleet-http.ts';

const SECRET = 'not-to-be-told';

let system: HttpFleet;

beforeAll(async () => {
  // NATS of the test asks for none, and takes any.
  vi.stubEnv('CALLFLEET_NATS__TOKEN', SECRET);
  system = await startHttpFleet({ worker: { drainMs: 3000 } });
});
afterAll(() => {
  vi.unstubAllEnvs();
  return system?.stop();
});

const POLL = { timeout: 15_000, interval: 50 };

async function expectAllReady(): Promise<void> {
  for (const name of system.names)
    await expect.poll(() => system.readyz(name), POLL).toEqual({ status: 200, state: 'RUNNING', missing: [] });
}

test('every process of a fleet that serves its PBXs is ready, and alive', async () => {
  expect(system.names.toSorted()).toEqual([
    'gateway-1',
    'gateway-2',
    'relay-pbx-a-1',
    'relay-pbx-b-1',
    'worker-1',
    'worker-2',
  ]);
  await expectAllReady();
  for (const name of system.names) expect((await system.get(name, '/livez')).status).toBe(200);
});

test('no answer holds a secret, or an address of NATS, Redis or a PBX', async () => {
  for (const name of system.names)
    for (const path of ['/livez', '/readyz', '/metrics', '/']) {
      const answer = await (await system.get(name, path)).text();
      const places = [...system.pbxs.map((pbx) => pbx.httpUrl), system.redis.url, system.nats.url];
      for (const secret of [SECRET, ...places.map((url) => new URL(url).host)]) expect(answer).not.toContain(secret);
    }
});

test('no answer holds anything of a call: not who calls, nor which call it is', async () => {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const from = '49301122334';
  const call = await placeCall({ to: pbx.sipAddress, extension: '100', from, audio: { toneHz: 500 } });
  await call.waitForTone(500, 10_000);
  const answers: string[] = [];
  for (const name of system.names)
    for (const path of ['/livez', '/readyz', '/metrics']) answers.push(await (await system.get(name, path)).text());
  await call.hangUp();
  const record = await system.recordOf(from);
  const [, channel = ''] = record.call.split('.');
  expect(answers.join(), 'the call is there').toMatch(/callfleet_worker_calls\S* 1/);
  for (const known of [from, record.call, channel, '127.0.0.1:']) expect(answers.join()).not.toContain(known);
  await system.expectNothingLeft();
});

test('while NATS is away all say so, and when it is back all are ready', async () => {
  await system.nats.kill();
  for (const name of system.names) {
    await expect
      .poll(() => system.readyz(name), POLL)
      .toMatchObject({
        status: 503,
        state: 'RUNNING',
        missing: expect.arrayContaining([expect.stringMatching(/^nats: disconnected since \d+ s$/)]),
      });
    expect((await system.get(name, '/livez')).status).toBe(200);
  }
  await system.nats.restart();
  await expectAllReady();
});

test('while Redis is away, those that need it say so', async () => {
  await system.redis.kill();
  for (const name of system.names.filter((name) => !name.startsWith('relay-')))
    await expect
      .poll(() => system.readyz(name), POLL)
      .toMatchObject({
        status: 503,
        missing: expect.arrayContaining([expect.stringMatching(/^redis: the connection is \w+$/)]),
      });
  await system.redis.restart();
  await expectAllReady();
});

test('a gateway whose PBX is away names the shards', async () => {
  const [pbx] = system.pbxs;
  await pbx?.kill();
  const missing = async () =>
    (await Promise.all(['gateway-1', 'gateway-2'].map(system.readyz))).flatMap((answer) => answer.missing).join(' ');
  await expect.poll(missing, POLL).toContain('shard/pbx-a/callfleet-1 is not connected');
  await expect.poll(missing, POLL).toContain('shard/pbx-a/callfleet-2 is not connected');
  await pbx?.restart();
  await expectAllReady();
});

test('a worker that is stopped with a call in hand is DRAINING until it is handed over, and ends well', async () => {
  const [, pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const call = await placeCall({ to: pbx.sipAddress, extension: '100', from: '7100', audio: { toneHz: 600 } });
  await call.waitForTone(600, 10_000);
  const worker = await system.workerWithCall();
  const stopped = worker.stop();
  await expect.poll(() => system.readyz(worker.name), POLL).toMatchObject({ status: 503, state: 'DRAINING' });
  expect(await stopped).toBe(0);
  const states = system.complaints.flatMap(
    (line) => (line.startsWith(`${worker.name}: `) && /"msg":"service\.(\w+)"/.exec(line)?.[1]) || [],
  );
  expect(states).toEqual(['initialized', 'running', 'draining', 'drained', 'stopped']);

  await call.hangUp();
  expect(await system.recordOf('7100')).toMatchObject({ endedBy: 'caller', takeovers: 1 });
  await system.expectNothingLeft();
});
