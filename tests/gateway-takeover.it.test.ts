import { setTimeout as wait } from 'node:timers/promises';
import { type Asterisk, placeCall } from '@callfleet/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

let system: TestFleet;
let callers = 7000;

beforeEach(async () => {
  system = await startTestFleet({
    config: { gateway: { sessionTtlMs: 2500, strayAfterMs: 1000 }, worker: { drainMs: 0, sessionTtlMs: 2000 } },
  });
});
afterEach(() => system?.stop());

/** So many callers of a program, on both PBXs; each with a tone of its own. */
async function placeCalls(count: number, extension: string) {
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      callers += 1;
      const from = String(callers);
      const toneHz = 400 + n * 90;
      const call = await placeCall({ to: pbxOf(n).sipAddress, extension, from, audio: { toneHz } });
      await call.answered;
      return { call, from, toneHz };
    }),
  );
}

function pbxOf(n: number): Asterisk {
  const pbx = system.pbxs[n % system.pbxs.length];
  if (!pbx) throw new Error('no PBX');
  return pbx;
}

function gatewayNamed(name: string) {
  const gateway = system.fleet.gateways.find((one) => name.startsWith(one.name));
  if (!gateway) throw new Error(`no gateway ${name}`);
  return gateway;
}

/** What gateways keep of live calls for each other. */
async function keptCalls(): Promise<{ offer: { call: string; gateway: string } }[]> {
  const kept: { offer: { call: string; gateway: string } }[] = [];
  // An empty batch is an error to NATS.
  const batch = await system.bus.jsm.direct.getBatch('LIVE', { seq: 1, batch: 1000 }).catch(() => []);
  try {
    for await (const message of batch) kept.push(message.json());
  } catch {}
  return kept;
}

/** A gateway that has some of the calls. */
async function gatewayWithCalls() {
  await expect.poll(async () => (await keptCalls()).length, { timeout: 5000 }).toBeGreaterThan(0);
  const [first] = await keptCalls();
  return gatewayNamed(first?.offer.gateway ?? '');
}

/** A gateway that has a shard of this PBX: two that start at once may share them out later. */
async function gatewayOf(pbx: string) {
  const told = system.bus.nc.subscribe('cf.pbxs');
  for await (const message of told) {
    const { pbx: name, gateway, shards } = message.json<{ pbx: string; gateway: string; shards: unknown[] }>();
    if (name === pbx && shards.length > 0) return gatewayNamed(gateway);
  }
  throw new Error(`nobody tells of ${pbx}`);
}

/** Resolves when every shard's commands are taken: by the other gateway, where the first had it. */
async function takenOver(): Promise<void> {
  const isTaken = (pbx: string, shard: string) =>
    system.bus.nc.request(`cf.cmd.${pbx}.${shard}`, '{}', { timeout: 1000 }).then(
      () => true,
      () => false,
    );
  for (const { name } of system.pbxs)
    for (const shard of ['callfleet-1', 'callfleet-2'])
      await expect.poll(() => isTaken(name, shard), { timeout: 15_000, interval: 50 }).toBe(true);
}

async function ari(pbx: Asterisk, method: string, path: string): Promise<unknown> {
  const authorization = `Basic ${Buffer.from(`${pbx.username}:${pbx.password}`).toString('base64')}`;
  const response = await fetch(`${pbx.httpUrl}/ari/${path}`, { method, headers: { authorization } });
  return response.json();
}

describe('a gateway dies under live calls', () => {
  test('and no caller hears it; its calls come to their own ends under the other one', async () => {
    const calls = await placeCalls(8, '100');
    await Promise.all(calls.map(({ call, toneHz }) => call.waitForTone(toneHz, 10_000)));
    const killedAt = calls.map(({ call }) => call.now());
    await (await gatewayWithCalls()).kill();
    await takenOver();
    await wait(1500);
    for (const [n, { call, toneHz }] of calls.entries()) {
      const since = { fromMs: killedAt[n] ?? 0, toMs: call.now() };
      expect(call.heard.longestSilenceMs(since), 'silence after the kill').toBeLessThan(1000);
      await call.waitForTone(toneHz, 2000);
    }
    await Promise.all(calls.map(({ call }) => call.hangUp()));
    const records = await Promise.all(calls.map(({ from }) => system.recordOf(from)));
    for (const record of records) {
      expect(record).toMatchObject({ program: { name: 'echo-bot' }, endedBy: 'caller', takeovers: 0 });
      expect(record, record.error?.message).not.toHaveProperty('error');
    }
    await system.expectNothingLeft();
  });

  test('and programs go on at the same line, also those whose sound came to its end meanwhile', async () => {
    const calls = await placeCalls(8, '700');
    for (const { call } of calls) call.sendDtmf('12');
    await wait(1000);
    await (await gatewayWithCalls()).kill();
    await takenOver();
    await wait(1000);
    for (const { call } of calls) call.sendDtmf('34');
    for (const { call, from } of calls) {
      expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
      const record = await system.recordOf(from);
      expect(record, record.error?.message).not.toHaveProperty('error');
      expect(record).toMatchObject({ endedBy: 'program', digits: 4, takeovers: 0 });
    }
    await system.expectNothingLeft();
  });

  test('and a caller who hangs up while nobody has the shard gets a record, and leaves nothing', async () => {
    const calls = await placeCalls(8, '100');
    await Promise.all(calls.map(({ call, toneHz }) => call.waitForTone(toneHz, 10_000)));
    await (await gatewayWithCalls()).kill();
    await Promise.all(calls.map(({ call }) => call.hangUp()));
    for (const { from } of calls)
      expect(await system.recordOf(from, 15_000)).toMatchObject({ program: { name: 'echo-bot' }, endedBy: 'caller' });
    expect(await system.recordCount(), 'records').toBe(calls.length);
    await system.expectNothingLeft();
    await expect.poll(keptCalls, { timeout: 5000 }).toEqual([]);
  });

  test('and a call whose worker dies afterwards is taken over by another worker', async () => {
    const calls = await placeCalls(8, '700');
    for (const { call } of calls) call.sendDtmf('12');
    await wait(2000);
    await (await gatewayWithCalls()).kill();
    await takenOver();
    await wait(1000);
    await system.fleet.workers[0]?.kill();
    await wait(2000);
    for (const { call } of calls) call.sendDtmf('34');
    let takeovers = 0;
    for (const { call, from } of calls) {
      expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
      const record = await system.recordOf(from);
      expect(record, record.error?.message).not.toHaveProperty('error');
      expect(record).toMatchObject({ endedBy: 'program', digits: 4 });
      expect(record.workers.at(-1)).toMatch(/^worker-2/);
      takeovers += record.takeovers;
    }
    expect(takeovers, 'calls that changed hands').toBeGreaterThan(0);
    await system.expectNothingLeft();
  });

  test('and its worker with it: whoever is left has the call', async () => {
    const calls = await placeCalls(8, '700');
    for (const { call } of calls) call.sendDtmf('12');
    await wait(2000);
    const gateway = await gatewayWithCalls();
    await Promise.all([gateway.kill(), system.fleet.workers[0]?.kill()]);
    await takenOver();
    await wait(3000);
    for (const { call } of calls) call.sendDtmf('34');
    for (const { call, from } of calls) {
      expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
      const record = await system.recordOf(from);
      expect(record, record.error?.message).not.toHaveProperty('error');
      expect(record).toMatchObject({ endedBy: 'program', digits: 4 });
    }
    await system.expectNothingLeft();
  });

  test('and new callers are served through the other shard at once', async () => {
    await gatewayNamed('gateway-1').kill();
    const calls = await placeCalls(6, '100');
    await Promise.all(calls.map(({ call, toneHz }) => call.waitForTone(toneHz, 3000)));
    await Promise.all(calls.map(({ call }) => call.hangUp()));
    for (const { from } of calls) expect(await system.recordOf(from)).toMatchObject({ endedBy: 'caller' });
    await system.expectNothingLeft();
  });
});

test('callers who came in when a gateway hung already are served when it is dead', async () => {
  const gateway = gatewayNamed('gateway-1');
  if (gateway.pid === undefined) throw new Error('no process');
  process.kill(gateway.pid, 'SIGSTOP');
  const placing = placeCalls(8, '100');
  await wait(500);
  await gateway.kill();
  const calls = await placing;
  await Promise.all(calls.map(({ call, toneHz }) => call.waitForTone(toneHz, 10_000)));
  await Promise.all(calls.map(({ call }) => call.hangUp()));
  for (const { from } of calls)
    expect(await system.recordOf(from)).toMatchObject({ program: { name: 'echo-bot' }, endedBy: 'caller' });
  await system.expectNothingLeft();
});

test('what was made for calls that are gone is removed, and nothing of others', async () => {
  const pbx = pbxOf(0);
  const stray = encodeURIComponent('pbx-a.1763701200_12~bridge1');
  for (const id of [stray, 'somebody-elses', 'pbx-b.1763701200_12~bridge1']) await ari(pbx, 'POST', `bridges/${id}`);
  await (await gatewayOf('pbx-a')).kill();
  await takenOver();
  const bridges = async () => ((await ari(pbx, 'GET', 'bridges')) as Array<{ id: string }>).map(({ id }) => id).sort();
  await expect.poll(bridges, { timeout: 10_000 }).toEqual(['pbx-b.1763701200_12~bridge1', 'somebody-elses']);
});
