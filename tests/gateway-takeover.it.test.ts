import { setTimeout as wait } from 'node:timers/promises';
import { type Asterisk, placeCall } from '@callfleet/testkit';
import { describe, expect, test } from 'vitest';
import { nameOf, shardsTaken, shareFleet } from './shared-fleet.ts';
import type { TestFleet } from './test-fleet.ts';

let system: TestFleet;
let callers = 7000;

shareFleet(
  () => ({
    config: {
      gateway: { sessionTtlMs: 2500, strayAfterMs: 1000, rebalanceAfterMs: 500 },
      worker: { drainMs: 0, sessionTtlMs: 2000 },
    },
  }),
  async (whole) => {
    system = whole;
    await expect.poll(keptCalls, { timeout: 5000, message: 'calls that are kept of other tests' }).toEqual([]);
  },
);

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

/** Of an instance's name, as gateways tell it. */
function gatewayOfInstance(instance: string) {
  const gateway = system.fleet.gateways.find(({ name }) => name === nameOf(instance));
  if (!gateway) throw new Error(`no gateway ${instance}`);
  return gateway;
}

/** Any of the two: each has a shard of each PBX. */
function firstGateway() {
  const [gateway] = system.fleet.gateways;
  if (!gateway) throw new Error('no gateway');
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
  return gatewayOfInstance(first?.offer.gateway ?? '');
}

/** A gateway that has a shard of this PBX: two that start at once may share them out later. */
async function gatewayOf(pbx: string) {
  const told = system.bus.nc.subscribe('cf.pbxs');
  for await (const message of told) {
    const { pbx: name, gateway, shards } = message.json<{ pbx: string; gateway: string; shards: unknown[] }>();
    if (name === pbx && shards.length > 0) return gatewayOfInstance(gateway);
  }
  throw new Error(`nobody tells of ${pbx}`);
}

async function ari(pbx: Asterisk, method: string, path: string): Promise<unknown> {
  const authorization = `Basic ${Buffer.from(`${pbx.username}:${pbx.password}`).toString('base64')}`;
  const response = await fetch(`${pbx.httpUrl}/ari/${path}`, { method, headers: { authorization } });
  return response.status === 204 ? undefined : response.json();
}

describe('a gateway dies under live calls', () => {
  test('and no caller hears it; its calls come to their own ends under the other one', async () => {
    const calls = await placeCalls(8, '100');
    await Promise.all(calls.map(({ call, toneHz }) => call.waitForTone(toneHz, 10_000)));
    const killedAt = calls.map(({ call }) => call.now());
    await (await gatewayWithCalls()).kill();
    await shardsTaken(system);
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
    await shardsTaken(system);
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
    const recordsBefore = await system.recordCount();
    const calls = await placeCalls(8, '100');
    await Promise.all(calls.map(({ call, toneHz }) => call.waitForTone(toneHz, 10_000)));
    await (await gatewayWithCalls()).kill();
    await Promise.all(calls.map(({ call }) => call.hangUp()));
    for (const { from } of calls)
      expect(await system.recordOf(from, 15_000)).toMatchObject({ program: { name: 'echo-bot' }, endedBy: 'caller' });
    expect(await system.recordCount(), 'records').toBe(recordsBefore + calls.length);
    await system.expectNothingLeft();
    await expect.poll(keptCalls, { timeout: 5000 }).toEqual([]);
  });

  test('and a call whose worker dies afterwards is taken over by another worker', async () => {
    const calls = await placeCalls(8, '700');
    for (const { call } of calls) call.sendDtmf('12');
    await wait(2000);
    await (await gatewayWithCalls()).kill();
    await shardsTaken(system);
    await wait(1000);
    const [victim, survivor] = system.fleet.workers;
    await victim?.kill();
    await wait(2000);
    for (const { call } of calls) call.sendDtmf('34');
    let takeovers = 0;
    for (const { call, from } of calls) {
      expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
      const record = await system.recordOf(from);
      expect(record, record.error?.message).not.toHaveProperty('error');
      expect(record).toMatchObject({ endedBy: 'program', digits: 4 });
      expect(nameOf(record.workers.at(-1) ?? '')).toBe(survivor?.name);
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
    await shardsTaken(system);
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
    await firstGateway().kill();
    const calls = await placeCalls(6, '100');
    await Promise.all(calls.map(({ call, toneHz }) => call.waitForTone(toneHz, 3000)));
    await Promise.all(calls.map(({ call }) => call.hangUp()));
    for (const { from } of calls) expect(await system.recordOf(from)).toMatchObject({ endedBy: 'caller' });
    await system.expectNothingLeft();
  });
});

test('callers who came in when a gateway hung already are served when it is dead', async () => {
  const gateway = firstGateway();
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
  const others = ['pbx-b.1763701200_12~bridge1', 'somebody-elses'];
  for (const id of [stray, ...others]) await ari(pbx, 'POST', `bridges/${id}`);
  await (await gatewayOf('pbx-a')).kill();
  await shardsTaken(system);
  const bridges = async () => ((await ari(pbx, 'GET', 'bridges')) as Array<{ id: string }>).map(({ id }) => id).sort();
  await expect.poll(bridges, { timeout: 10_000 }).toEqual(others);
  for (const id of others) await ari(pbx, 'DELETE', `bridges/${id}`);
});
