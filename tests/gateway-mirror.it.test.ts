import { setTimeout as wait } from 'node:timers/promises';
import { callHistory } from '@callfleet/bus';
import { type CallId, partsOfCallId } from '@callfleet/identity';
import { placeCall, type SipCall } from '@callfleet/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { PbxObserver } from './pbx-observer.ts';
import { startTestFleet, type TestFleet } from './test-fleet.ts';
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

/** After gateways came or went, on a slow machine; less than until shards are shared out anew. */
const NEW_MIRRORS_MS = 6000;

let system: TestFleet;
let callers = 6000;
/** What gateways log of their shards and mirrors, since the last clearing. */
let told: Told[] = [];
/** Calls that were offered to workers once more. */
let offeredAgain = 0;

async function start(mirror: boolean) {
  told = [];
  offeredAgain = 0;
  system = await startTestFleet({
    config: { gateway: { mirror, strayAfterMs: 1000, sessionTtlMs: 2500 }, telemetry: { level: 'info' } },
    onLine: (name, line) => {
      if (!line.startsWith('{')) return console.warn(`${name}: ${line}`);
      const parsed = JSON.parse(line) as Told & { level: string };
      if (parsed.msg === 'call.offered-again') offeredAgain += 1;
      if (name.startsWith('gateway') && /^(shard|mirror)\./.test(parsed.msg)) told.push(parsed);
      if (parsed.level !== 'info' || /^(shard|mirror)\./.test(parsed.msg)) console.warn(`${name}: ${line}`);
    },
  });
}
afterEach(() => system?.stop());

const saying = (msg: string) => told.filter((one) => one.msg === msg);

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

/** The gateway that was connected to this PBX's first shard last. */
function gatewayWithCalls() {
  const last = saying('shard.connected').findLast(({ shard }) => shard === 'callfleet-1');
  const gateway = system.fleet.gateways.find(({ name }) => last?.instance.startsWith(name));
  if (!gateway) throw new Error('no gateway');
  return gateway;
}

/** Every shard is mirrored by the gateway that does not have it. */
async function mirrored(shards = 4): Promise<void> {
  await expect.poll(() => saying('mirror.connected').length, LONG).toBeGreaterThanOrEqual(shards);
}

/** Kills a gateway and resolves when the other one has its shards. */
async function killOne(): Promise<void> {
  const gateway = gatewayWithCalls();
  told = [];
  await gateway.kill();
  await expect.poll(() => saying('shard.reconciled').length, LONG).toBeGreaterThanOrEqual(2);
}

/** Another gateway in the place of the dead one; resolves when it mirrors what is not its own. */
async function replaceDead(n: number, isMirrored: boolean): Promise<void> {
  told = told.filter(({ msg }) => msg !== 'mirror.connected');
  await system.fleet.addGateway(`gateway-${n + 3}`);
  if (isMirrored) await mirrored();
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
async function lossesOf(kills: number, isMirrored: boolean) {
  await start(isMirrored);
  if (isMirrored) await mirrored();
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
    await replaceDead(n, isMirrored);
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
  test('callers press digits while their gateway is killed, again and again: each digit arrives, once and in order', async () => {
    await start(true);
    await mirrored();
    const counting = await placeMany(8, '502');
    const typing = new TypingCallers(counting);
    typing.start();
    await wait(1000);
    for (let n = 0; n < KILLS; n += 1) {
      await killOne();
      await wait(1500);
      await replaceDead(n, true);
    }
    await typing.expectAllTold(system, { takeovers: 0 });
    await system.expectNothingLeft();
  }, 120_000);

  test('nothing that Asterisk tells of the callers is lost, and who hung up meanwhile did so with a cause', async () => {
    const { lost, causes } = await lossesOf(KILLS, true);
    console.warn(`events lost with the mirror, per kill: ${countsOf(lost).join(' ')}`);
    expect(lost.flat()).toEqual([]);
    expect(causes).toEqual(causes.map(() => 16));
    expect(await system.recordCount(), 'records').toBe(8 * KILLS);
    expect(offeredAgain, 'offers to workers that have their calls').toBe(0);
    await system.expectNothingLeft();
  }, 120_000);

  test('digits that are pressed while a gateway hangs arrive when it is given up, and not again when it wakes', async () => {
    await start(true);
    await mirrored();
    const counting = await placeMany(4, '502');
    const typing = new TypingCallers(counting);
    typing.start();
    await wait(1000);
    const { pid } = gatewayWithCalls();
    if (pid === undefined) throw new Error('no process');
    told = [];
    process.kill(pid, 'SIGSTOP');
    await expect.poll(() => saying('shard.reconciled').length, LONG).toBeGreaterThanOrEqual(2);
    await wait(1000);
    process.kill(pid, 'SIGCONT');
    await wait(2000);
    await typing.expectAllTold(system);
    await system.expectNothingLeft();
  }, 120_000);

  test('the gateway that has the mirror dies, and calls go on; another one mirrors from then on', async () => {
    await start(true);
    await mirrored();
    const counting = await placeMany(4, '502');
    const typing = new TypingCallers(counting);
    typing.start();
    await system.fleet.addGateway('gateway-3');
    // Whoever would now inherit a shard has its mirror a moment after it is known.
    await wait(NEW_MIRRORS_MS);
    // Of three, whoever dies was the mirror of some shards and had others.
    await killOne();
    await mirrored(1);
    await wait(NEW_MIRRORS_MS);
    await killOne();
    await wait(1500);
    await typing.expectAllTold(system);
    await system.expectNothingLeft();
  }, 120_000);

  test('a PBX that is started again is mirrored again', async () => {
    await start(true);
    await mirrored();
    told = [];
    const [pbx] = system.pbxs;
    await pbx?.restart();
    await expect.poll(() => saying('mirror.connected').filter((one) => one.pbx === pbx?.name).length, LONG).toBe(2);
    const [counting] = await Promise.all([place(0, '502')]);
    const typing = new TypingCallers([counting]);
    typing.start();
    await wait(500);
    await expect
      .poll(() => saying('shard.connected').filter(({ shard }) => shard === 'callfleet-1').length, LONG)
      .toBeGreaterThan(0);
    await killOne();
    await wait(1000);
    await typing.expectAllTold(system);
  }, 120_000);
});

test('without the mirror the moments of a crash are lost: so much', async () => {
  const { lost, causes } = await lossesOf(2, false);
  console.warn(`events lost without the mirror, per kill: ${countsOf(lost).join(' ')}`);
  console.warn(
    `callers who hung up meanwhile whose cause is unknown: ${causes.filter((code) => code !== 16).length} of ${causes.length}`,
  );
  await system.expectNothingLeft();
}, 120_000);
