import { setTimeout as wait } from 'node:timers/promises';
import { placeCall, type SipCall } from '@callfleet/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

const LONG = { timeout: 15_000, interval: 20 };
const KILLS = 4;

interface Told {
  readonly msg: string;
  readonly instance: string;
  readonly pbx: string;
  readonly shard: string;
  readonly replayed?: number;
}

let system: TestFleet;
let callers = 6000;
/** What gateways log of their shards and mirrors, since the last clearing. */
let told: Told[] = [];

async function start(mirror: boolean) {
  told = [];
  system = await startTestFleet({
    config: { gateway: { mirror, strayAfterMs: 1000 }, telemetry: { level: 'info' } },
    onLine: (name, line) => {
      if (!line.startsWith('{')) return console.warn(`${name}: ${line}`);
      const parsed = JSON.parse(line) as Told & { level: string };
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

/** What each caller presses: 0 to 9 again and again, some at every moment. */
function startPressing(calls: readonly SipCall[]) {
  let pressed = 0;
  const timer = setInterval(() => {
    for (const call of calls) call.sendDtmf(String(pressed % 10));
    pressed += 1;
  }, 250);
  return {
    get pressed() {
      return pressed;
    },
    async stop() {
      clearInterval(timer);
      await wait(1000);
    },
  };
}

/** Kills a gateway under the hands of callers, and has another in its place; again and again. */
async function killAgainAndAgain(kills: number, isMirrored: boolean): Promise<void> {
  for (let n = 1; n <= kills; n += 1) {
    const gateway = gatewayWithCalls();
    told = [];
    await gateway.kill();
    await expect.poll(() => saying('shard.reconciled').length, LONG).toBeGreaterThanOrEqual(2);
    await wait(1500);
    const stays = system.fleet.gateways.filter((one) => one !== gateway).at(-1)?.name;
    told = told.filter(({ msg }) => msg !== 'mirror.connected');
    await system.fleet.addGateway(`gateway-${n + 2}`);
    // The one that stays has all four, until shares are evened out.
    if (isMirrored) await mirrored();
    expect(stays).toBeDefined();
  }
}

describe('with the mirror', () => {
  test('callers press digits while their gateway is killed, again and again: each digit arrives, once and in order', async () => {
    await start(true);
    await mirrored();
    const counting = await placeMany(8, '501');
    const presser = startPressing(counting.map(({ call }) => call));
    await wait(1000);
    await killAgainAndAgain(KILLS, true);
    await presser.stop();
    for (const { call } of counting) call.sendDtmf('#');
    for (const { call, from } of counting) {
      await call.finished;
      const record = await system.recordOf(from);
      expect(record, record.error?.message).not.toHaveProperty('error');
      expect(record).toMatchObject({ endedBy: 'program', digits: presser.pressed + 1, takeovers: 0 });
    }
    await system.expectNothingLeft();
  }, 120_000);
});
