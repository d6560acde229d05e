import { setTimeout as wait } from 'node:timers/promises';
import { placeCall } from '@callfleet/testkit';
import { expect, test } from 'vitest';
import { nameOf, shareFleet } from './shared-fleet.ts';
import type { TestFleet } from './test-fleet.ts';
import { TypingCallers } from './typing-callers.ts';

const REBALANCE_AFTER_MS = 700;
const LONG = { timeout: 15_000, interval: 20 };

let system: TestFleet;
let callers = 4000;
/** What gateways have logged of their shards since the fleet was started. */
let told: { at: number; msg: string; instance: string; pbx: string; shard: string; ms?: number; line: string }[] = [];
/** So much of it was told before the test. */
let toldBefore = 0;

const fleet = () => {
  told = [];
  return {
    config: { gateway: { rebalanceAfterMs: REBALANCE_AFTER_MS, strayAfterMs: 1000 }, telemetry: { level: 'info' } },
    onLine: (name: string, line: string) => {
      if (!line.startsWith('{')) return console.warn(`${name}: ${line}`);
      const at = performance.now();
      const parsed = JSON.parse(line) as { level: string; msg: string; instance: string; pbx: string; shard: string };
      if (name.startsWith('gateway') && parsed.msg.startsWith('shard.')) told.push({ at, line, ...parsed });
      if (parsed.level !== 'info' || parsed.msg.startsWith('shard.')) console.warn(`${name}: ${line}`);
    },
  };
};
shareFleet(fleet, async (whole) => {
  system = whole;
  await expect.poll(() => sharesOf(...namesOfBoth()), LONG).toEqual([2, 2]);
  toldBefore = told.length;
});

const namesOfBoth = () => {
  const [first, second] = system.fleet.gateways;
  if (!first || !second) throw new Error('no gateways');
  return [first.name, second.name] as const;
};

const saying = (msg: string) => told.slice(toldBefore).filter((one) => one.msg === msg);

/** Who has each shard, as the gateways said last: the name of its process. */
function holders(): Map<string, string> {
  const found = new Map<string, string>();
  for (const { msg, instance, pbx, shard } of told)
    if (msg === 'shard.connected') found.set(`${pbx} ${shard}`, nameOf(instance));
  return found;
}

const sharesOf = (...names: string[]) =>
  names.map((name) => [...holders().values()].filter((one) => one === name).length);

const gatewayNamed = (name: string) => system.fleet.gateways.find((gateway) => gateway.name === name);

async function place(n: number, extension: string, toneHz?: number) {
  callers += 1;
  const from = String(callers);
  const pbx = system.pbxs[n % system.pbxs.length];
  if (!pbx) throw new Error('no PBX');
  const call = await placeCall({
    to: pbx.sipAddress,
    extension,
    from,
    ...(toneHz && { audio: { toneHz } }),
  });
  await call.answered;
  return { call, from, toneHz: toneHz ?? 0 };
}

/** New callers, one after another, until it is stopped. */
function newCallers() {
  let isOver = false;
  const coming = (async () => {
    const froms: string[] = [];
    for (let n = 0; !isOver; n += 1) {
      const { call, from } = await place(n, '100', 1500);
      await call.waitForTone(1500, 10_000);
      await call.hangUp();
      froms.push(from);
      await wait(100);
    }
    return froms;
  })();
  coming.catch(() => {});
  return {
    stop: () => {
      isOver = true;
      return coming;
    },
  };
}

test('under live calls gateways join, stop and die, and no caller notices; what is pressed while shards are handed over arrives', async () => {
  const talks = await Promise.all(Array.from({ length: 6 }, (_, n) => place(n, '100', 400 + n * 100)));
  await Promise.all(talks.map(({ call, toneHz }) => call.waitForTone(toneHz, 10_000)));
  const counting = await Promise.all(Array.from({ length: 6 }, (_, n) => place(n, '501')));
  const since = talks.map(({ call }) => call.now());
  const typing = new TypingCallers(counting);
  const coming = newCallers();
  const [first, second] = namesOfBoth();

  typing.start();
  const { name: third } = await system.fleet.addGateway('gateway-third');
  await expect.poll(() => sharesOf(third), LONG).toEqual([1]);
  await wait(REBALANCE_AFTER_MS + 500);
  expect(sharesOf(first, second, third).toSorted(), 'one shard has moved').toEqual([1, 1, 2]);

  await gatewayNamed(first)?.stop();
  await expect.poll(() => sharesOf(second, third), LONG).toEqual([2, 2]);
  const handedOver = saying('shard.handed-over').length;
  expect(handedOver).toBeGreaterThanOrEqual(2);
  await wait(500);
  await typing.pause();

  await gatewayNamed(second)?.kill();
  await expect.poll(() => sharesOf(third), LONG).toEqual([4]);
  typing.start();
  await wait(1500);
  await typing.pause();

  for (const [n, { call, toneHz }] of talks.entries()) {
    const stretch = { fromMs: since[n] ?? 0, toMs: call.now() };
    expect(call.heard.longestSilenceMs(stretch), 'silence').toBeLessThan(1000);
    await call.waitForTone(toneHz, 2000);
    await call.hangUp();
  }
  await typing.expectAllTold(system, { takeovers: 0 });
  const served = await coming.stop();
  expect(served.length).toBeGreaterThan(5);
  for (const from of [...served, ...talks.map((talk) => talk.from)])
    expect(await system.recordOf(from)).toMatchObject({
      program: { name: 'echo-bot' },
      endedBy: 'caller',
      takeovers: 0,
    });
  await system.expectNothingLeft();
}, 120_000);

test('the shards of a gateway that is killed have sockets again, whichever gateway it is', async () => {
  let [victim, heir]: readonly [string, string] = namesOfBoth();
  for (let n = 1; n <= 4; n += 1) {
    await expect.poll(() => sharesOf(victim, heir), LONG).toEqual([2, 2]);
    const at = performance.now();
    await gatewayNamed(victim)?.kill();
    await expect.poll(() => sharesOf(heir), LONG).toEqual([4]);
    const ms = (told.findLast(({ msg }) => msg === 'shard.connected')?.at ?? Number.NaN) - at;
    console.warn(`from kill to the last shard.connected: ${Math.round(ms)} ms`);
    const { name } = await system.fleet.addGateway(`gateway-heir${n}`);
    [victim, heir] = [heir, name];
  }
}, 120_000);

test('a gateway that hangs and wakes leaves the shard to the one that has it by then', async () => {
  const talks = await Promise.all(Array.from({ length: 4 }, (_, n) => place(n, '100', 400 + n * 100)));
  const counting = await Promise.all(Array.from({ length: 4 }, (_, n) => place(n, '501')));
  await Promise.all(talks.map(({ call, toneHz }) => call.waitForTone(toneHz, 10_000)));
  const [victim, heir] = namesOfBoth();
  const { pid } = gatewayNamed(victim) ?? {};
  if (pid === undefined) throw new Error('no process');
  await wait(500);
  process.kill(pid, 'SIGSTOP');
  await expect.poll(() => sharesOf(heir), LONG).toEqual([4]);
  // Commands come to both of them.
  const typing = new TypingCallers(counting);
  typing.start();
  await wait(1000);
  process.kill(pid, 'SIGCONT');
  await expect.poll(() => saying('shard.lost').length, LONG).toBe(2);
  await wait(1000);
  await typing.expectAllTold(system);
  await Promise.all(talks.map(({ call }) => call.hangUp()));
  for (const { from } of talks) expect(await system.recordOf(from)).toMatchObject({ endedBy: 'caller' });
  await system.expectNothingLeft();
}, 60_000);

test('a stranger who connects to a shard has it taken back from him, again and again', async () => {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const url = `${pbx.httpUrl.replace('http', 'ws')}/ari/events?app=callfleet-1&api_key=${pbx.username}:${pbx.password}`;
  const connected = () =>
    told.filter((one) => one.msg === 'shard.connected' && one.pbx === pbx.name && one.shard === 'callfleet-1').length;
  const strangers: WebSocket[] = [];
  for (let n = 1; n <= 3; n += 1) {
    const before = connected();
    const stranger = new WebSocket(url);
    strangers.push(stranger);
    await new Promise((resolve) => stranger.addEventListener('open', resolve));
    await expect.poll(connected, LONG).toBe(before + 1);
  }
  const strangely = saying('shard.taken-by-stranger');
  expect(strangely.map(({ line }) => (JSON.parse(line) as { level: string }).level)).toEqual([
    'error',
    'error',
    'error',
  ]);
  for (const stranger of strangers) stranger.close();
  const talks = await Promise.all([0, 0, 0, 0].map((n) => place(n, '100', 1000)));
  await Promise.all(talks.map(({ call }) => call.waitForTone(1000, 10_000)));
  await Promise.all(talks.map(({ call }) => call.hangUp()));
  for (const { from } of talks) expect(await system.recordOf(from)).toMatchObject({ endedBy: 'caller' });
  await system.expectNothingLeft();
}, 60_000);
