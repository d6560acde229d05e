import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type OriginateOptions, originateCall } from '@callfleet/bus';
import { type Phone, type PhoneOptions, placeCall, startPhone } from '@callfleet/testkit';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { reportFile } from './programs/report.ts';
import { nameOf, shareFleet } from './shared-fleet.ts';
import type { TestFleet } from './test-fleet.ts';

const MAIN = fileURLToPath(new URL('../cli/src/main.ts', import.meta.url));
/** A trunk to the phones of this machine: the number is a phone's port. */
const TRUNK = { name: 'trunk-a', endpoint: 'PJSIP/phone/sip:agent@127.0.0.1:{number}', maxCalls: 2 };
const TONE_HZ = 1400;

let system: TestFleet;
let numbers = 8000;
const phones: Phone[] = [];

afterEach(async () => {
  for (const phone of phones.splice(0)) await phone.stop();
});

const pbx = () => {
  const [first] = system.pbxs;
  if (!first) throw new Error('no PBX');
  return first;
};

async function phoneThat(behaviour: PhoneOptions['behaviour'], options: Partial<PhoneOptions> = {}) {
  const phone = await startPhone({
    from: pbx(),
    ...(behaviour && { behaviour }),
    audio: { toneHz: TONE_HZ },
    ...options,
  });
  phones.push(phone);
  return phone;
}

const portOf = ({ endpoint }: Phone) => endpoint.split(':').at(-1) ?? '';

/** Places a call on the first PBX, which shows a caller id of its own. */
async function place(options: Partial<OriginateOptions> & { to: string }) {
  numbers += 1;
  const from = String(numbers);
  await rm(reportFile(pbx().name, from), { force: true });
  const call = await originateCall(system.bus, {
    program: 'outbound',
    pbxs: [{ name: pbx().name }],
    callerId: { number: from, name: 'Front Desk' },
    ...options,
  });
  return { call, from };
}

/** The worker that has a call. */
async function ownerOf(call: string): Promise<string> {
  const redis = new Redis(system.redis.url);
  try {
    return (await redis.hget(`cf:lease:{${call}}`, 'owner')) ?? 'nobody';
  } finally {
    redis.disconnect();
  }
}

async function callsOn(trunk: string): Promise<string[]> {
  const redis = new Redis(system.redis.url);
  try {
    return await redis.zrange(`cf:trunk:{${trunk}}`, '0', '-1');
  } finally {
    redis.disconnect();
  }
}

/** What gateways keep of live calls for each other. */
async function keptCalls(): Promise<{ offer: { gateway: string } }[]> {
  const kept: { offer: { gateway: string } }[] = [];
  for await (const message of await system.bus.jsm.direct.getBatch('LIVE', { seq: 1, batch: 100 }))
    kept.push(message.json());
  return kept;
}

/** As a shell would. */
function callfleet(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, output, errors) =>
      resolve({ code: error ? Number(error.code) : 0, output, errors }),
    );
  });
}

describe('a call that is placed', () => {
  shareFleet(
    () => ({
      // The trunk is one, though two PBXs have it.
      pbxTrunks: [TRUNK],
      workers: 3,
      config: { gateway: { sessionTtlMs: 2500, rebalanceAfterMs: 500 }, worker: { sessionTtlMs: 2000 } },
    }),
    (whole) => {
      system = whole;
    },
  );

  test('and answered: its program talks to whoever was called, and knows of whom', async () => {
    const phone = await phoneThat('answers', { answerAfterMs: 500 });
    const { call, from } = await place({ to: phone.endpoint, variables: { CAMPAIGN: 'spring' } });
    const callee = await phone.nextCall();
    expect(callee.from, 'what the phone shows').toEqual({ number: from, name: 'Front Desk' });
    expect(await call.outcome()).toEqual({ outcome: 'answered' });
    await callee.waitForTone(TONE_HZ, 5000);
    expect(JSON.parse(await readFile(reportFile(pbx().name, from), 'utf8'))).toEqual({
      direction: 'outbound',
      caller: { number: from, name: 'Front Desk' },
      called: { number: phone.endpoint.replace('PJSIP/', ''), context: '' },
      args: [],
      variables: { CAMPAIGN: 'spring' },
    });
    await callee.hangUp();
    const record = await system.recordOf(from);
    expect(record).toMatchObject({
      call: call.id,
      direction: 'outbound',
      dial: { endpoint: phone.endpoint, outcome: 'answered' },
      program: { name: 'outbound' },
      endedBy: 'callee',
      cause: { code: 16 },
      takeovers: 0,
    });
    expect(record.ringMs).toBeGreaterThan(400);
    expect(record.media).toHaveLength(1);
    expect(await call.outcome(), 'asked late').toEqual({ outcome: 'answered' });
    expect(phone.calls).toHaveLength(1);
    await system.expectNothingLeft();
  });

  test.each([
    ['busy', { outcome: 'busy', cause: { code: 17, text: 'User busy' } }],
    ['rejects', { outcome: 'rejected', cause: { code: 21, text: 'Call Rejected' } }],
  ] as const)(
    'and whose phone is %s: its program does not begin, and who asked is told why',
    async (behaviour, told) => {
      const phone = await phoneThat(behaviour);
      const { call, from } = await place({ to: phone.endpoint });
      expect(await call.outcome()).toEqual(told);
      const record = await system.recordOf(from);
      expect(record).toMatchObject({ endedBy: 'unanswered', dial: { outcome: told.outcome }, cause: told.cause });
      expect(record).not.toHaveProperty('answeredAt');
      expect(record).not.toHaveProperty('error');
      await expect(readFile(reportFile(pbx().name, from))).rejects.toThrow('ENOENT');
      await system.expectNothingLeft();
    },
  );

  test('and nobody answers in time: the phone stops ringing', async () => {
    const phone = await phoneThat('rings');
    const { call, from } = await place({ to: phone.endpoint, ringTimeoutMs: 1000 });
    const callee = await phone.nextCall();
    expect(await call.outcome()).toMatchObject({ outcome: 'no-answer' });
    await expect(callee.answered).rejects.toMatchObject({ code: 'CF_CALL_NOT_ANSWERED' });
    expect(await system.recordOf(from)).toMatchObject({ endedBy: 'unanswered', dial: { outcome: 'no-answer' } });
    await system.expectNothingLeft();
  });

  test('to an endpoint that the PBX does not know is unreachable', async () => {
    const { call, from } = await place({ to: 'PJSIP/nobody-of-that-name' });
    expect(await call.outcome()).toMatchObject({ outcome: 'unreachable' });
    expect(await system.recordOf(from)).toMatchObject({ endedBy: 'unanswered', dial: { outcome: 'unreachable' } });
    await system.expectNothingLeft();
  });

  test('is refused at once for what can not be done', async () => {
    const phone = await phoneThat('answers');
    const refusal = (options: Partial<OriginateOptions> = {}) =>
      place({ to: phone.endpoint, ...options }).then(
        () => 'placed',
        ({ name, code }: { name: string; code: string }) => `${name} ${code}`,
      );
    expect(await refusal({ program: 'nobody-has-it' })).toBe('OriginateError CF_PROGRAM_UNKNOWN');
    expect(await refusal({ to: 'no-such-trunk:1' })).toBe('OriginateError CF_TRUNK_UNKNOWN');
    expect(await refusal({ to: `${TRUNK.name}:1@elsewhere` })).toBe('OriginateError CF_BAD_DESTINATION');
    expect(await refusal({ pbxs: [{ name: 'pbx-z' }] })).toBe('OriginateError CF_NO_HEALTHY_PBX');
    expect(await refusal({ pbxs: [{ name: pbx().name, weight: 0 }] })).toBe('OriginateError CF_NO_HEALTHY_PBX');
    expect(phone.calls).toEqual([]);
    await system.expectNothingLeft();
  });

  test('takes a place of its trunk, from whichever PBX, until its end', async () => {
    const phone = await phoneThat('rings');
    const answering = await phoneThat('answers');
    const [a, b] = system.pbxs.map(({ name }) => [{ name }]);
    const through = (to: Phone, pbxs = a) => place({ to: `${TRUNK.name}:${portOf(to)}`, ...(pbxs && { pbxs }) });
    const ringing = await through(phone);
    const talking = await through(answering);
    expect(await talking.call.outcome()).toEqual({ outcome: 'answered' });
    const full = { name: 'OriginateError', code: 'CF_TRUNK_FULL' };
    await expect(through(answering), 'both places are taken').rejects.toMatchObject(full);
    await expect(through(answering, b), 'for the other PBX too').rejects.toMatchObject(full);
    await (await answering.nextCall()).hangUp();
    expect(await system.recordOf(talking.from)).toMatchObject({ dial: { trunk: TRUNK.name }, endedBy: 'callee' });
    const next = await through(answering);
    expect(await next.call.outcome(), 'a place was free').toEqual({ outcome: 'answered' });
    await (await answering.nextCall()).hangUp();
    await (await phone.nextCall()).hangUp();
    expect(await ringing.call.outcome()).toMatchObject({ outcome: 'rejected' });
    await system.expectNothingLeft();
  });

  test('and legs that programs dial share the places of a trunk', async () => {
    const [answering, ringing] = [await phoneThat('answers'), await phoneThat('rings')];
    const caller = async (port: string) => {
      numbers += 1;
      const from = String(numbers);
      await rm(reportFile(pbx().name, from), { force: true });
      const call = await placeCall({ to: pbx().sipAddress, extension: `91${port}`, from, audio: { toneHz: 700 } });
      return { call, told: () => readFile(reportFile(pbx().name, from), 'utf8').catch(() => '') };
    };
    const first = await caller(portOf(answering));
    const agent = await answering.nextCall();
    await agent.waitForTone(700, 5000);
    expect(await callsOn(TRUNK.name)).toEqual([expect.stringMatching(/~leg1$/)]);
    const placed = await place({ to: `${TRUNK.name}:${portOf(ringing)}` });
    const second = await caller(portOf(answering));
    await expect.poll(second.told, { timeout: 5000 }).toContain('"reason":"congested"');
    expect(await second.told()).toContain('CF_TRUNK_FULL');
    await expect(place({ to: `${TRUNK.name}:${portOf(ringing)}` })).rejects.toMatchObject({ code: 'CF_TRUNK_FULL' });
    expect(answering.calls, 'the second was not dialled').toHaveLength(1);
    await second.call.finished;
    await agent.hangUp();
    await first.call.finished;
    await (await ringing.nextCall()).hangUp();
    expect(await placed.call.outcome()).toMatchObject({ outcome: 'rejected' });
    await expect.poll(() => callsOn(TRUNK.name), { timeout: 5000 }).toEqual([]);
    await system.expectNothingLeft();
  });

  test('and many others that are placed at once, on both PBXs, are never more than their trunk takes', async () => {
    const phone = await phoneThat('rings');
    const both = system.pbxs.map(({ name }) => ({ name }));
    const placed = await Promise.allSettled(
      Array.from({ length: 12 }, () =>
        place({ to: `${TRUNK.name}:${portOf(phone)}`, pbxs: both, ringTimeoutMs: 3000 }),
      ),
    );
    const calls = placed.flatMap((one) => (one.status === 'fulfilled' ? [one.value.call] : []));
    const refused = placed.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []));
    expect(calls).toHaveLength(TRUNK.maxCalls);
    expect(refused).toEqual(Array(12 - TRUNK.maxCalls).fill('CF_TRUNK_FULL'));
    for (const call of calls) expect(await call.outcome()).toMatchObject({ outcome: 'no-answer' });
    await expect.poll(() => callsOn(TRUNK.name), { timeout: 5000 }).toEqual([]);
    await system.expectNothingLeft();
  });

  test('and cancelled while it rings stops ringing, however often', async () => {
    const phone = await phoneThat('rings');
    const { call, from } = await place({ to: `${TRUNK.name}:${portOf(phone)}` });
    const callee = await phone.nextCall();
    expect(await Promise.all([call.cancel(), call.cancel()])).toEqual(['cancelled', 'cancelled']);
    expect(await call.outcome()).toMatchObject({ outcome: 'cancelled' });
    await expect(callee.answered).rejects.toMatchObject({ code: 'CF_CALL_NOT_ANSWERED' });
    const record = await system.recordOf(from);
    expect(record).toMatchObject({ endedBy: 'cancelled', dial: { outcome: 'cancelled' } });
    expect(record).not.toHaveProperty('error');
    expect(await call.cancel(), 'asked late').toBe('cancelled');
    await expect.poll(() => callsOn(TRUNK.name), { timeout: 5000 }).toEqual([]);
    await system.expectNothingLeft();
  });

  test('and cancelled when it was answered is hung up; when it is over, that is told', async () => {
    const phone = await phoneThat('answers');
    const { call, from } = await place({ to: phone.endpoint });
    const callee = await phone.nextCall();
    await callee.waitForTone(TONE_HZ, 5000);
    const cancelled = await callfleet('cancel', call.id, '--config', system.configFile);
    expect(cancelled).toMatchObject({ code: 0, output: `call ${call.id} is cancelled\n` });
    await callee.finished;
    expect(await system.recordOf(from)).toMatchObject({
      endedBy: 'cancelled',
      dial: { outcome: 'answered' },
      cause: { code: 16 },
    });
    const busy = await place({ to: (await phoneThat('busy')).endpoint });
    expect(await busy.call.outcome()).toMatchObject({ outcome: 'busy' });
    expect(await busy.call.cancel()).toBe('over');
    await system.expectNothingLeft();
  });

  test('and cancelled at once, wherever it is by then, is cancelled', async () => {
    const phone = await phoneThat('rings');
    for (const afterMs of [0, 0, 2, 5, 10, 15, 20, 30, 40, 60]) {
      const { call, from } = await place({ to: phone.endpoint });
      await wait(afterMs);
      expect(await call.cancel(), `after ${afterMs} ms`).toBe('cancelled');
      expect(await call.outcome(), `after ${afterMs} ms`).toMatchObject({ outcome: 'cancelled' });
      const record = await system.recordOf(from);
      expect(record, `after ${afterMs} ms`).toMatchObject({ endedBy: 'cancelled', dial: { outcome: 'cancelled' } });
      expect(record, `after ${afterMs} ms`).not.toHaveProperty('error');
    }
    await system.expectNothingLeft();
  });

  test('from the command line', async () => {
    const phone = await phoneThat('busy');
    const placed = (...args: string[]) =>
      callfleet('originate', '--config', system.configFile, '--program', 'outbound', ...args);
    const busy = await placed('--to', phone.endpoint, '--pbx', pbx().name, '--caller-id', '7', '--timeout', '5s');
    expect(busy.output).toMatch(/^call pbx-a\.cf-out-\S+ is placed on pbx-a\nbusy: 17 User busy\n$/);
    expect(busy.code).toBe(1);
    const refused = await placed('--to', 'nowhere:1');
    expect(refused.errors).toContain('[CF_TRUNK_UNKNOWN]');
    const unknown = await placed('--to', phone.endpoint, '--pbx', 'pbx-z');
    expect(unknown.errors).toContain('there is no PBX "pbx-z"; there is pbx-a, pbx-b');
    const variable = await placed('--to', phone.endpoint, '--variable', 'x');
    expect(variable.errors).toContain('--variable: "x" has no name and value');
    await system.expectNothingLeft();
  });

  test('and rings when its worker is killed rings on, once, and is answered under another', async () => {
    const phone = await phoneThat('answers', { answerAfterMs: 4000 });
    const { call, from } = await place({ to: phone.endpoint });
    const callee = await phone.nextCall();
    const owner = await ownerOf(call.id);
    await system.fleet.workers.find(({ name }) => name === nameOf(owner))?.kill();
    expect(await call.outcome()).toEqual({ outcome: 'answered' });
    await callee.waitForTone(TONE_HZ, 5000);
    expect(phone.calls, 'the phone rang once').toHaveLength(1);
    await callee.hangUp();
    expect(await system.recordOf(from)).toMatchObject({
      direction: 'outbound',
      takeovers: 1,
      workers: [owner, expect.stringMatching(/^worker-/)],
      endedBy: 'callee',
      dial: { outcome: 'answered' },
    });
    expect(phone.calls).toHaveLength(1);
    await system.expectNothingLeft();
  });

  test('and rings when its gateway is killed, and then its worker, rings on, once, and keeps its place on the trunk', async () => {
    const phone = await phoneThat('answers', { answerAfterMs: 9000 });
    const { call, from } = await place({ to: `${TRUNK.name}:${portOf(phone)}` });
    const callee = await phone.nextCall();
    const [kept] = await keptCalls();
    const gateway = system.fleet.gateways.find(({ name }) => name === nameOf(kept?.offer.gateway ?? ''));
    await gateway?.kill();
    const owner = await ownerOf(call.id);
    await system.fleet.workers.find(({ name }) => name === nameOf(owner))?.kill();
    expect(await call.outcome()).toEqual({ outcome: 'answered' });
    await callee.waitForTone(TONE_HZ, 5000);
    expect(phone.calls, 'the phone rang once').toHaveLength(1);
    expect(await callsOn(TRUNK.name)).toEqual([call.id]);
    await callee.hangUp();
    expect(await system.recordOf(from)).toMatchObject({
      takeovers: 1,
      endedBy: 'callee',
      dial: { outcome: 'answered' },
    });
    await expect.poll(() => callsOn(TRUNK.name), { timeout: 5000 }).toEqual([]);
    await system.expectNothingLeft();
  });

  // The last one: a PBX is gone then.
  test('goes to PBXs by weight, and to the other one when one is gone', async () => {
    const [a, b] = system.pbxs;
    if (!a || !b) throw new Error('no PBXs');
    const pbxs = [
      { name: a.name, weight: 1000 },
      { name: b.name, weight: 0.001 },
    ];
    const phoneOfB = await startPhone({ from: b, audio: { toneHz: TONE_HZ } });
    phones.push(phoneOfB);
    const phoneOfA = await phoneThat('busy');
    const first = await place({ to: phoneOfA.endpoint, pbxs });
    expect(first.call.pbx).toBe(a.name);
    expect(await first.call.outcome()).toMatchObject({ outcome: 'busy' });
    await a.stop();
    await expect
      .poll(async () => (await place({ to: phoneOfB.endpoint, pbxs }).catch(() => undefined))?.call.pbx, {
        timeout: 5000,
        interval: 500,
      })
      .toBe(b.name);
    const callee = await phoneOfB.nextCall();
    await callee.waitForTone(TONE_HZ, 5000);
    await callee.hangUp();
  });
});
