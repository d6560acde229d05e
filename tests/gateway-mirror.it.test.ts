import { readFile, rename, writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { callHistory } from '@callfleet/bus';
import { type CallId, partsOfCallId } from '@callfleet/identity';
import { placeCall, type SipCall } from '@callfleet/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PbxObserver } from './pbx-observer.ts';
import { PbxProxy } from './pbx-proxy.ts';
import { nameOf, shareFleet } from './shared-fleet.ts';
import type { TestFleet, TestFleetOptions } from './test-fleet.ts';
import { TypingCallers } from './typing-callers.ts';

const LONG = { timeout: 15_000, interval: 20 };
const KILLS = 2;

interface Told {
  readonly msg: string;
  readonly instance: string;
  readonly pbx: string;
  readonly shard: string;
  readonly replayed?: number;
}

const SHARDS = ['callfleet-1', 'callfleet-2'];
/** After gateways came or went, on a slow machine, when shards have been shared out anew. */
const NEW_MIRRORS_MS = 6000;

let system: TestFleet;
let callers = 6000;
let replacements = 0;
let isMirrored = true;
/** What gateways have logged of their shards and mirrors since the fleet was started. */
let told: Told[] = [];
/** Calls that were offered to workers once more. */
let offeredAgain = 0;

function fleetWith(mirror: boolean): TestFleetOptions {
  told = [];
  isMirrored = mirror;
  return {
    config: {
      gateway: { mirror, strayAfterMs: 1000, sessionTtlMs: 2500, rebalanceAfterMs: 500 },
      telemetry: { level: 'info' },
    },
    onLine: (name, line) => {
      if (!line.startsWith('{')) return console.warn(`${name}: ${line}`);
      const parsed = JSON.parse(line) as Told & { level: string };
      if (parsed.msg === 'call.offered-again') offeredAgain += 1;
      if (name.startsWith('gateway') && /^(shard|mirror)\./.test(parsed.msg)) told.push(parsed);
      if (parsed.level !== 'info' || /^(shard|mirror)\./.test(parsed.msg)) console.warn(`${name}: ${line}`);
    },
  };
}

const begin = async (whole: TestFleet) => {
  system = whole;
  offeredAgain = 0;
  await settled();
};

/** @param since what was told before is left out */
const saying = (msg: string, since = 0) => told.slice(since).filter((one) => one.msg === msg);

/** Of each shard, who has it and who mirrors it, as gateways said last. */
function holdersAndMirrors() {
  const holders = new Map<string, string>();
  const mirrors = new Map<string, string>();
  for (const { msg, instance, pbx, shard } of told) {
    const [key, name] = [`${pbx} ${shard}`, nameOf(instance)];
    if (msg === 'mirror.connected') mirrors.set(key, name);
    if (msg !== 'shard.connected') continue;
    holders.set(key, name);
    // Whoever takes a shard mirrors it no more.
    if (mirrors.get(key) === name) mirrors.delete(key);
  }
  return { holders, mirrors };
}

/**
 * Resolves when gateways have equal shares of each PBX's shards and of all, so that none is about to move, and each shard is mirrored by one
 * that does not have it.
 */
async function settled(): Promise<void> {
  const isSettled = () => {
    const alive = system.fleet.gateways.filter(({ isRunning }) => isRunning).map(({ name }) => name);
    const { holders, mirrors } = holdersAndMirrors();
    const areEven = ['', ...system.pbxs.map(({ name }) => name)].every((pbx) => {
      const held = [...holders].filter(([shard]) => shard.startsWith(pbx));
      const shares = alive.map((name) => held.filter(([, holder]) => holder === name).length);
      return Math.max(...shares) - Math.min(...shares) < 2;
    });
    const areServed = [...holders.values()].every((name) => alive.includes(name));
    const areMirrored = [...holders.keys()].every((shard) => alive.includes(mirrors.get(shard) ?? ''));
    return holders.size === 4 && areEven && areServed && (areMirrored || !isMirrored);
  };
  await expect.poll(isSettled, { ...LONG, message: 'shards are shared out and mirrored' }).toBe(true);
}

async function place(n: number, extension: string): Promise<{ call: SipCall; from: string }> {
  callers += 1;
  const from = String(callers);
  const pbx = system.pbxs[n % system.pbxs.length];
  if (!pbx) throw new Error('no PBX');
  const call = await placeCall({ to: pbx.sipAddress, extension, from });
  await call.answered;
  return { call, from };
}

const placeMany = (count: number, extension: string) =>
  Promise.all(Array.from({ length: count }, (_, n) => place(n, extension)));

/** The gateway that has a PBX's first shard. */
function gatewayWithCalls() {
  const holder = holdersAndMirrors().holders.get(`${system.pbxs[0]?.name} callfleet-1`);
  const gateway = system.fleet.gateways.find(({ name }) => name === holder);
  if (!gateway) throw new Error('no gateway');
  return gateway;
}

/** Resolves when others have the shards of this gateway, of which nobody hears any more. */
async function taken(gateway: { name: string }, disturbance: () => unknown): Promise<void> {
  const lost = [...holdersAndMirrors().holders].filter(([, holder]) => holder === gateway.name).map(([name]) => name);
  const since = told.length;
  await disturbance();
  const reconciled = () => new Set(saying('shard.reconciled', since).map(({ pbx, shard }) => `${pbx} ${shard}`));
  await expect.poll(() => lost.filter((name) => !reconciled().has(name)), LONG).toEqual([]);
}

/** Kills a gateway and resolves when others have its shards. */
async function killOne(): Promise<void> {
  const gateway = gatewayWithCalls();
  await taken(gateway, () => gateway.kill());
}

/** Another gateway in the place of the dead one; resolves when they have shared out shards and mirrors. */
async function replaceDead(): Promise<void> {
  replacements += 1;
  await system.fleet.addGateway(`gateway-new${replacements}`);
  await settled();
}

/** From now on gateways reach the first PBX at this address; resolves when they have its shards, and their mirrors, over it. */
async function reachFirstPbxAt(url: string): Promise<void> {
  const config = JSON.parse(await readFile(system.configFile, 'utf8')) as { pbxs: [{ name: string; url: string }] };
  const [{ name }] = config.pbxs;
  config.pbxs[0].url = url;
  const since = told.length;
  await writeFile(`${system.configFile}.new`, JSON.stringify(config));
  await rename(`${system.configFile}.new`, system.configFile);
  for (const msg of ['shard.connected', 'mirror.connected'])
    await expect.poll(() => saying(msg, since).filter(({ pbx }) => pbx === name).length, LONG).toBe(2);
}

/** Ids of the call's events in the stream. */
async function published(call: CallId): Promise<string[]> {
  return (await callHistory(system.bus, call)).map(({ id }) => id);
}

/**
 * Callers press digits while gateways are killed, and some hang up just then.
 *
 * @returns of each kill the types of the events that Asterisk told of the callers and that were never published
 */
async function lossesOf(kills: number) {
  const observers = await Promise.all(system.pbxs.map((pbx) => PbxObserver.watch(pbx)));
  const lost: string[][] = [];
  const leavers: string[] = [];
  for (let n = 0; n < kills; n += 1) {
    const talks = await placeMany(8, '502');
    await wait(1000);
    const since = Date.now();
    const typing = new TypingCallers(talks);
    typing.start();
    await wait(700);
    const killing = killOne();
    const leaving = talks.slice(0, 4);
    await wait(100);
    await Promise.all(leaving.map(({ call }) => call.hangUp()));
    await killing;
    await typing.pause();
    leavers.push(...leaving.map(({ from }) => from));
    await Promise.all(talks.slice(4).map(({ call }) => call.hangUp()));
    await wait(500);
    const types: string[] = [];
    for (const { from } of talks) {
      const { call } = await system.recordOf(from, 15_000);
      const ids = new Set(await published(call));
      const channel = partsOfCallId(call)?.channelId ?? '';
      const seen = observers.flatMap((observer) => observer.seenOf(channel, since));
      for (const { id, type } of seen) if (!ids.has(id)) types.push(type);
      expect(seen.length, 'events that Asterisk told').toBeGreaterThan(3);
    }
    lost.push(types.toSorted());
    await replaceDead();
  }
  for (const observer of observers) await observer.close();
  const causes = await Promise.all(leavers.map(async (from) => (await system.recordOf(from)).cause?.code));
  return { lost, causes };
}

const countsOf = (lost: string[][]) =>
  lost.map((types) =>
    JSON.stringify(
      Object.fromEntries(new Set(types).values().map((type) => [type, types.filter((one) => one === type).length])),
    ),
  );

describe('with the mirror', () => {
  shareFleet(() => fleetWith(true), begin);

  test('callers press digits while their gateway is killed, again and again: each digit arrives, once and in order', async () => {
    const counting = await placeMany(8, '502');
    const typing = new TypingCallers(counting);
    typing.start();
    await wait(1000);
    for (let n = 0; n < KILLS; n += 1) {
      await killOne();
      await wait(1500);
      await replaceDead();
    }
    await typing.expectAllTold(system, { takeovers: 0 });
    await system.expectNothingLeft();
  }, 120_000);

  test('nothing that Asterisk tells of the callers is lost, and who hung up meanwhile did so with a cause', async () => {
    const recordsBefore = await system.recordCount();
    const { lost, causes } = await lossesOf(KILLS);
    console.warn(`events lost with the mirror, per kill: ${countsOf(lost).join(' ')}`);
    expect(lost.flat()).toEqual([]);
    expect(causes).toEqual(causes.map(() => 16));
    expect(await system.recordCount(), 'records').toBe(recordsBefore + 8 * KILLS);
    expect(offeredAgain, 'offers to workers that have their calls').toBe(0);
    await system.expectNothingLeft();
  }, 120_000);

  test('digits that are pressed while a gateway hangs arrive when it is given up, and not again when it wakes', async () => {
    const counting = await placeMany(4, '502');
    const typing = new TypingCallers(counting);
    typing.start();
    await wait(1000);
    const gateway = gatewayWithCalls();
    const { pid } = gateway;
    if (pid === undefined) throw new Error('no process');
    await taken(gateway, () => process.kill(pid, 'SIGSTOP'));
    await wait(1000);
    process.kill(pid, 'SIGCONT');
    await wait(2000);
    await typing.expectAllTold(system);
    await system.expectNothingLeft();
  }, 120_000);

  test('the gateway that has the mirror dies, and calls go on; another one mirrors from then on', async () => {
    const counting = await placeMany(4, '502');
    const typing = new TypingCallers(counting);
    typing.start();
    await system.fleet.addGateway('gateway-third');
    // Whoever would now inherit a shard has its mirror a moment after it is known.
    await wait(NEW_MIRRORS_MS);
    // Of three, whoever dies was the mirror of some shards and had others.
    await killOne();
    await settled();
    await wait(NEW_MIRRORS_MS);
    await killOne();
    await wait(1500);
    await typing.expectAllTold(system);
    await system.expectNothingLeft();
  }, 120_000);

  test('digits that are pressed while event sockets break arrive: another gateway has seen them', async () => {
    const [pbx] = system.pbxs;
    if (!pbx) throw new Error('no PBX');
    const proxy = await PbxProxy.start(pbx.httpUrl);
    onTestFinished(() => proxy.stop());
    await reachFirstPbxAt(proxy.url);
    // The even ones are callers of the first PBX.
    const counting = await Promise.all([0, 2, 4, 6].map((n) => place(n, '502')));
    const typing = new TypingCallers(counting);
    typing.start();
    for (let n = 0; n < 2; n += 1) {
      await wait(500);
      const since = told.length;
      for (const shard of SHARDS) expect(proxy.breakSockets(shard)).toBe(1);
      for (const msg of ['shard.ceded', 'shard.connected'])
        await expect.poll(() => saying(msg, since).length, LONG).toBeGreaterThanOrEqual(SHARDS.length);
      await settled();
    }
    await typing.expectAllTold(system, { takeovers: 0 });
    await system.expectNothingLeft();
    await reachFirstPbxAt(pbx.httpUrl);
  }, 120_000);

  test('a PBX that is started again is mirrored again', async () => {
    const [pbx] = system.pbxs;
    const since = told.length;
    await pbx?.restart();
    const again = (msg: string) => saying(msg, since).filter((one) => one.pbx === pbx?.name).length;
    await expect.poll(() => again('mirror.connected'), LONG).toBe(2);
    const [counting] = await Promise.all([place(0, '502')]);
    const typing = new TypingCallers([counting]);
    typing.start();
    await wait(500);
    await expect.poll(() => again('shard.connected'), LONG).toBe(2);
    await killOne();
    await wait(1000);
    await typing.expectAllTold(system);
  }, 120_000);
});

describe('without the mirror', () => {
  shareFleet(() => fleetWith(false), begin);

  test('the moments of a crash are lost: so much', async () => {
    const { lost, causes } = await lossesOf(1);
    console.warn(`events lost without the mirror, per kill: ${countsOf(lost).join(' ')}`);
    console.warn(
      `callers who hung up meanwhile whose cause is unknown: ${causes.filter((code) => code !== 16).length} of ${causes.length}`,
    );
    await system.expectNothingLeft();
  }, 120_000);
});
