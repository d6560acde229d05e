import { setTimeout as wait } from 'node:timers/promises';
import { type Phone, type PhoneOptions, placeCall, startPhone } from '@callfleet/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { shareFleet } from './shared-fleet.ts';
import type { TestFleet } from './test-fleet.ts';

let system: TestFleet;
let callers = 5000;

shareFleet(
  () => ({ config: { worker: { drainMs: 0, sessionTtlMs: 2000 } } }),
  (whole) => {
    system = whole;
  },
);

/** So many callers of a program, on both PBXs; each with a tone of its own. */
async function placeCalls(count: number, extension: string) {
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      callers += 1;
      const from = String(callers);
      const toneHz = 400 + n * 90;
      const pbx = system.pbxs[n % system.pbxs.length];
      if (!pbx) throw new Error('no PBX');
      const call = await placeCall({ to: pbx.sipAddress, extension, from, audio: { toneHz } });
      await call.answered;
      return { call, from, toneHz };
    }),
  );
}

/** The one that is killed, and the one that is left. */
const bothWorkers = () => {
  const [victim, survivor] = system.fleet.workers;
  if (!victim || !survivor) throw new Error('no workers');
  return { victim, survivor };
};
const firstWorker = () => bothWorkers().victim;

const startOf = (instance: { name: string }) => expect.stringMatching(new RegExp(`^${instance.name}-`));

describe('a worker dies under live calls', () => {
  test('and no caller hears it: the bot goes on, and each call comes to its own end', async () => {
    const recordsBefore = await system.recordCount();
    const calls = await placeCalls(12, '100');
    await Promise.all(calls.map(({ call, toneHz }) => call.waitForTone(toneHz, 10_000)));
    const killedAt = calls.map(({ call }) => call.now());
    const { victim, survivor } = bothWorkers();
    await victim.kill();
    await wait(3000);
    for (const [n, { call, toneHz }] of calls.entries()) {
      const since = { fromMs: killedAt[n] ?? 0, toMs: (killedAt[n] ?? 0) + 2800 };
      expect(call.heard.longestSilenceMs(since), 'silence after the kill').toBeLessThan(1000);
      await call.waitForTone(toneHz, 2000);
    }
    await Promise.all(calls.map(({ call }) => call.hangUp()));
    const records = await Promise.all(calls.map(({ from }) => system.recordOf(from)));
    for (const record of records) expect(record).toMatchObject({ program: { name: 'echo-bot' }, endedBy: 'caller' });
    expect(records.filter((record) => record.takeovers === 1).length, 'calls that changed hands').toBeGreaterThan(0);
    for (const { takeovers, workers } of records)
      expect(workers).toEqual(takeovers === 1 ? [startOf(victim), startOf(survivor)] : [startOf(survivor)]);
    expect(await system.recordCount(), 'records').toBe(recordsBefore + calls.length);
    await system.expectNothingLeft();
  });

  test('and programs go on at the same line: digits pressed before, meanwhile and after all count', async () => {
    const calls = await placeCalls(6, '700');
    for (const { call } of calls) call.sendDtmf('12');
    await wait(1000);
    await firstWorker().kill();
    for (const { call } of calls) call.sendDtmf('3');
    await wait(1500);
    for (const { call } of calls) call.sendDtmf('4');
    for (const { call, from } of calls) {
      expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
      const record = await system.recordOf(from);
      expect(record).toMatchObject({ program: { name: 'long-menu' }, endedBy: 'program', digits: 4 });
      expect(record, record.error?.message).not.toHaveProperty('error');
    }
    await system.expectNothingLeft();
  });

  test('and a caller who hangs up while nobody has the call leaves nothing', async () => {
    const calls = await placeCalls(6, '100');
    await Promise.all(calls.map(({ call, toneHz }) => call.waitForTone(toneHz, 10_000)));
    const killing = firstWorker().kill();
    await Promise.all(calls.map(({ call }) => call.hangUp()));
    await killing;
    for (const { from } of calls) expect(await system.recordOf(from)).toMatchObject({ endedBy: 'caller' });
    await system.expectNothingLeft();
  });
});

describe('a worker dies while its callers have others on the phone', () => {
  const pbx = () => {
    const [first] = system.pbxs;
    if (!first) throw new Error('no PBX');
    return first;
  };
  /** Callers of legs.ts, each with a phone of its own. */
  async function callersWithPhones(doing: string, behaviour: PhoneOptions) {
    return Promise.all(
      Array.from({ length: 4 }, async (_, n) => {
        const phone = await startPhone({ ...behaviour, audio: { toneHz: 1500 + 100 * n } });
        phones.push(phone);
        callers += 1;
        const from = String(callers);
        const extension = `${doing}${phone.endpoint.split(':').at(-1)}`;
        const call = await placeCall({ to: pbx().sipAddress, extension, from, audio: { toneHz: 500 + 100 * n } });
        await call.answered;
        return { call, from, phone, callerHz: 500 + 100 * n, phoneHz: 1500 + 100 * n };
      }),
    );
  }
  const phones: Phone[] = [];
  afterEach(async () => {
    for (const phone of phones.splice(0)) await phone.stop();
  });

  test('and they go on hearing each other, until one of them hangs up', async () => {
    const calls = await callersWithPhones('91', { from: pbx() });
    const agents = await Promise.all(calls.map(({ phone }) => phone.nextCall()));
    await Promise.all(calls.map(({ call, phoneHz }) => call.waitForTone(phoneHz, 10_000)));
    const killedAt = calls.map(({ call }) => call.now());
    await firstWorker().kill();
    await wait(2500);
    for (const [n, { call, callerHz, phoneHz }] of calls.entries()) {
      const since = { fromMs: killedAt[n] ?? 0, toMs: call.now() };
      expect(call.heard.longestSilenceMs(since), 'silence after the kill').toBeLessThan(1000);
      await call.waitForTone(phoneHz, 2000);
      await agents[n]?.waitForTone(callerHz, 2000);
    }
    for (const agent of agents) await agent.hangUp();
    for (const { call, from } of calls) {
      expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
      const record = await system.recordOf(from);
      expect(record).toMatchObject({ endedBy: 'program' });
      expect(record, record.error?.message).not.toHaveProperty('error');
    }
    await system.expectNothingLeft();
  });

  test('and who was still ringing answers, and is joined with the caller', async () => {
    const calls = await callersWithPhones('95', { from: pbx(), answerAfterMs: 2500 });
    const agents = await Promise.all(calls.map(({ phone }) => phone.nextCall()));
    await firstWorker().kill();
    await Promise.all(agents.map((agent) => agent.answered));
    await wait(2000);
    for (const agent of agents) agent.sendDtmf('1');
    await Promise.all(calls.map(({ call, phoneHz }) => call.waitForTone(phoneHz, 10_000)));
    for (const { call } of calls) await call.hangUp();
    await Promise.all(agents.map((agent) => agent.finished));
    for (const { phone } of calls) expect(phone.calls.length, 'nobody was called twice').toBe(1);
    await system.expectNothingLeft();
  });
});

test('a worker that is stopped hands its calls to the others, and no caller hears it', async () => {
  const calls = await placeCalls(6, '100');
  await Promise.all(calls.map(({ call, toneHz }) => call.waitForTone(toneHz, 10_000)));
  const stoppedAt = calls.map(({ call }) => call.now());
  const { victim, survivor } = bothWorkers();
  expect(await victim.stop()).toBe(0);
  await wait(2000);
  for (const [n, { call }] of calls.entries())
    expect(call.heard.longestSilenceMs({ fromMs: stoppedAt[n] ?? 0, toMs: call.now() })).toBeLessThan(1000);
  await Promise.all(calls.map(({ call }) => call.hangUp()));
  for (const { from } of calls) {
    const record = await system.recordOf(from);
    expect(record.endedBy).toBe('caller');
    expect(record.workers.at(-1)).toEqual(startOf(survivor));
  }
  await system.expectNothingLeft();
});

test('a worker that hangs loses its calls, and when it wakes it is refused and does no harm', async () => {
  const calls = await placeCalls(6, '700');
  const { pid } = firstWorker();
  if (pid === undefined) throw new Error('no process');
  for (const { call } of calls) call.sendDtmf('12');
  await wait(1000);
  process.kill(pid, 'SIGSTOP');
  try {
    // Longer than its session lives: the others take over.
    await wait(3500);
    for (const { call } of calls) call.sendDtmf('3');
    await wait(1000);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await wait(1000);
  for (const { call } of calls) call.sendDtmf('4');
  for (const { call, from } of calls) {
    expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
    const record = await system.recordOf(from);
    expect(record).toMatchObject({ endedBy: 'program', digits: 4 });
    expect(record, record.error?.message).not.toHaveProperty('error');
  }
  await system.expectNothingLeft();
});

test('an offer of a call that has its worker is a false alarm, and does no harm', async () => {
  const offers: Uint8Array[] = [];
  const listening = system.bus.nc.subscribe('cf.offer.>', {
    callback: (_error, message) => {
      offers.push(message.data);
    },
  });
  const calls = await placeCalls(4, '700');
  for (const { call } of calls) call.sendDtmf('12');
  await wait(1000);
  listening.unsubscribe();
  const filed = offers.map((offer) => JSON.parse(new TextDecoder().decode(offer)) as object);
  for (const [n, offer] of filed.entries())
    await system.bus.js.publish('cf.offer.default', JSON.stringify({ ...offer, expiresAt: Date.now() + 5000 }), {
      msgID: `false alarm ${n} of ${Date.now()}`,
    });
  await wait(1000);
  for (const { call } of calls) call.sendDtmf('34');
  for (const { call, from } of calls) {
    expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
    expect(await system.recordOf(from)).toMatchObject({ endedBy: 'program', digits: 4, takeovers: 0 });
  }
  await system.expectNothingLeft();
});
