import { readFile, rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { toneLevel } from '@callfleet/media';
import { type PhoneOptions, placeCall, startPhone } from '@callfleet/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { reportFile } from './programs/report.ts';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

/** Of a file with one `fmt` and one `data` chunk. */
const WAV_HEADER_BYTES = 44;

let system: TestFleet;
let callers = 7000;
const phones: Array<{ stop(): Promise<void> }> = [];

beforeAll(async () => {
  system = await startTestFleet();
});
afterAll(() => system?.stop());
afterEach(async () => {
  for (const phone of phones.splice(0)) await phone.stop();
});

/** The PBX that the tests' calls and phones are on. */
const pbx = () => {
  const [first] = system.pbxs;
  if (!first) throw new Error('no PBX');
  return first;
};

async function phoneThat(behaviour: PhoneOptions['behaviour'], options: Partial<PhoneOptions> = {}) {
  const phone = await startPhone({ from: pbx(), ...(behaviour && { behaviour }), audio: { toneHz: 1400 }, ...options });
  phones.push(phone);
  return { phone, port: phone.endpoint.split(':').at(-1) ?? '' };
}

/** A caller of one of the doings of tests/programs/legs.ts, whose tone is 700 Hz. */
async function caller(doing: string, port = '00000', options: { toneHz?: number; refer?: 'declines' } = {}) {
  callers += 1;
  const from = String(callers);
  const { toneHz = 700, ...rest } = options;
  await rm(reportFile(pbx().name, from), { force: true });
  const call = await placeCall({
    to: pbx().sipAddress,
    extension: `${doing}${port}`,
    from,
    audio: { toneHz },
    ...rest,
  });
  await call.answered;
  const read = async () => {
    const text = await readFile(reportFile(pbx().name, from), 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  };
  /** What its program has told; waits until it is so much. */
  const told = async (count: number) => {
    await expect.poll(async () => (await read()).length, { timeout: 15_000 }).toBeGreaterThanOrEqual(count);
    return read();
  };
  return { call, from, told };
}

test('dial: who answers is joined with the caller, and each hears the other', async () => {
  const { phone, port } = await phoneThat('answers');
  const { call, from, told } = await caller('91', port);
  const agent = await phone.nextCall();
  expect(agent.from.number, "the caller's number is shown").toBe(from);
  await Promise.all([call.waitForTone(1400, 5000), agent.waitForTone(700, 5000)]);
  await agent.hangUp();
  expect(await told(2)).toEqual([{ answered: phone.endpoint }, { cause: { code: 16, text: 'Normal Clearing' } }]);
  await call.finished;
  await system.expectNothingLeft();
});

test.each([
  ['busy', 'busy', { code: 17 }],
  ['rejects', 'rejected', { code: 21 }],
  ['rings', 'no-answer', undefined],
] as const)('dial: a phone that is %s is told as %s', async (behaviour, reason, cause) => {
  const { port } = await phoneThat(behaviour);
  const { call, told } = await caller('91', port);
  const [result] = await told(1);
  expect(result).toMatchObject({ reason, attempts: [{ outcome: reason, ...(cause && { cause }) }] });
  await call.finished;
  await system.expectNothingLeft();
});

test('dial: early media is heard before the answer, with another caller id; digits go both ways', async () => {
  const { phone, port } = await phoneThat('early-media', { answerAfterMs: 1500 });
  const { call, told } = await caller('92', port);
  const agent = await phone.nextCall();
  expect(agent.from).toEqual({ number: '4711', name: 'Front Desk' });
  await call.waitForTone(1400, 5000);
  expect(agent.answeredAtMs, 'heard before it answers').toBeUndefined();
  await agent.answered;
  await agent.waitForTone(700, 5000);
  agent.sendDtmf('42');
  expect((await told(1))[0]).toEqual({ digits: '42', reason: 'count' });
  expect((await told(2))[1]).toMatchObject({ cause: { code: 16 } });
  await agent.finished;
  expect(agent.heard.digits).toBe('5');
  await call.hangUp();
  await system.expectNothingLeft();
});

test('dial: an agent who sends the caller on by phone has a successor in the same leg', async () => {
  const { phone, port } = await phoneThat('answers');
  const { call, told } = await caller('91', port);
  const agent = await phone.nextCall();
  await Promise.all([call.waitForTone(1400, 5000), agent.waitForTone(700, 5000)]);
  // To a bot, which gives the caller's own tone back.
  agent.transferTo('100');
  await call.waitForTone(700, 5000);
  // As a phone does when it is told that the transfer went well.
  await agent.hangUp();
  await wait(1000);
  expect(await told(1), 'the leg goes on').toHaveLength(1);
  await call.waitForTone(700, 2000);
  await call.hangUp();
  await system.expectNothingLeft();
});

test('dial: several at once, the first to answer has it; and in turn', async () => {
  const { phone, port } = await phoneThat('answers');
  const { call, told } = await caller('93', port);
  await phone.nextCall();
  const [atOnce, inTurn] = (await told(2)) as Array<{ answered: boolean; outcomes: string[] }>;
  expect(atOnce?.answered).toBe(true);
  expect(atOnce?.outcomes[0]).toBe('unreachable');
  expect([...(atOnce?.outcomes ?? [])].sort()).toEqual(['answered', 'cancelled', 'unreachable']);
  expect(inTurn).toEqual({ answered: true, outcomes: [expect.stringMatching(/no-answer|unreachable/), 'answered'] });
  await call.finished;
  await system.expectNothingLeft();
});

test('dial: cancelled by its program, the phone stops ringing', async () => {
  const { phone, port } = await phoneThat('rings');
  const { call, told } = await caller('94', port);
  const agent = await phone.nextCall();
  expect(await told(1)).toEqual(['enough']);
  await expect(agent.answered).rejects.toMatchObject({ code: 'CF_CALL_NOT_ANSWERED' });
  await call.finished;
  await system.expectNothingLeft();
});

test('dial: a caller who hangs up while it rings leaves nothing', async () => {
  const { phone, port } = await phoneThat('rings');
  const { call } = await caller('91', port);
  const agent = await phone.nextCall();
  await call.hangUp();
  await expect(agent.answered).rejects.toMatchObject({ code: 'CF_CALL_NOT_ANSWERED' });
  await system.expectNothingLeft();
});

test('transfer, warm: the target hears what it is about and accepts, then hears the caller', async () => {
  const { phone, port } = await phoneThat('answers');
  const { call, told } = await caller('95', port);
  const agent = await phone.nextCall();
  await agent.answered;
  await wait(1500);
  agent.sendDtmf('1');
  expect(await told(1)).toEqual([{ kind: 'warm' }]);
  await Promise.all([call.waitForTone(1400, 5000), agent.waitForTone(700, 5000)]);
  await call.hangUp();
  await agent.finished;
  await system.expectNothingLeft();
});

test('transfer, warm: a target that does not accept is let go, and the caller is with the program again', async () => {
  const { phone, port } = await phoneThat('answers');
  const { call, told } = await caller('95', port);
  const agent = await phone.nextCall();
  await agent.answered;
  await wait(1500);
  agent.sendDtmf('9');
  expect(await told(1)).toEqual([{ reason: 'declined' }]);
  await agent.finished;
  expect(await call.finished).toMatchObject({ hungUpBy: 'callee' });
  await system.expectNothingLeft();
});

test('transfer, blind: the caller is sent away by SIP REFER', async () => {
  const { call, from } = await caller('96');
  expect(await call.referredTo).toContain('sip:somebody@127.0.0.1:5999');
  await call.finished;
  expect(await system.recordOf(from)).toMatchObject({ endedBy: 'transfer' });
  await system.expectNothingLeft();
});

test('a room: muted, held, announced to, left', async () => {
  const { phone, port } = await phoneThat('answers');
  const { call, told } = await caller('97', port);
  const agent = await phone.nextCall();
  const hears = async (who: typeof agent | typeof call, hz: number) => {
    await who.waitForTone(hz, 3000);
  };
  /** Whether a tone is heard in the half second that begins now. */
  const isHeard = async (who: typeof agent | typeof call, hz: number) => {
    await wait(300);
    return who.waitForTone(hz, 500).then(
      () => true,
      () => false,
    );
  };
  await told(1);
  await Promise.all([hears(call, 1400), hears(agent, 700)]);
  call.sendDtmf('1');
  await told(2);
  expect(await isHeard(agent, 700), 'muted').toBe(false);
  await hears(call, 1400);
  call.sendDtmf('1');
  await told(3);
  expect(await isHeard(agent, 700), 'held').toBe(false);
  expect(await isHeard(call, 1400), 'held').toBe(false);
  call.sendDtmf('1');
  await told(4);
  await Promise.all([hears(call, 1400), hears(agent, 700)]);
  call.sendDtmf('1');
  await told(6);
  expect(await isHeard(call, 1400), 'left').toBe(false);
  call.sendDtmf('1');
  await call.finished;
  await agent.finished;
  await system.expectNothingLeft();
});

test('a conference: callers of several calls hear each other, and it ends with the last', async () => {
  const first = await caller('98', '00000', { toneHz: 700 });
  await first.told(1);
  const second = await caller('98', '00000', { toneHz: 1100 });
  await second.told(1);
  await Promise.all([first.call.waitForTone(1100, 5000), second.call.waitForTone(700, 5000)]);
  first.call.sendDtmf('1');
  await first.told(2);
  second.call.sendDtmf('1');
  await second.told(2);
  await Promise.all([first.call.finished, second.call.finished]);
  await system.expectNothingLeft();
});

test('a recording has both sides, without what was said while it paused; one ends by a digit', async () => {
  const { call, told } = await caller('89');
  const [whole] = (await told(1)) as [{ name: string; reason: string }];
  expect(whole).toMatchObject({ reason: 'finished' });
  const { seconds, level } = await recorded(whole.name);
  expect(seconds, 'two pieces of 1.5 s').toBeGreaterThan(2.5);
  expect(seconds, 'without the pause').toBeLessThan(4);
  expect(level(700), 'of the power half a second in').toBeGreaterThan(0.5);
  await told(2);
  await wait(1000);
  call.sendDtmf('#');
  const [, , message] = (await told(3)) as Array<{ name: string; reason: string }>;
  expect(message).toMatchObject({ reason: 'finished' });
  expect((await recorded(message?.name ?? '')).seconds).toBeGreaterThan(0.5);
  await call.finished;
  await system.expectNothingLeft();
});

/** A finished recording, read from its PBX. */
async function recorded(name: string) {
  const { httpUrl, username, password } = pbx();
  const url = new URL(`/ari/recordings/stored/${encodeURIComponent(name)}/file`, httpUrl);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const response = await fetch(url, { headers: { authorization } });
  expect(response.status).toBe(200);
  const wav = Buffer.from(await response.arrayBuffer());
  const pcm = new Int16Array(new Uint8Array(wav.subarray(WAV_HEADER_BYTES)).buffer);
  return { seconds: pcm.length / 8000, level: (hz: number) => toneLevel(pcm.subarray(4000, 6000), 8000, hz) };
}

test('a supervisor listens to a call, and speaks to its caller unnoticed', async () => {
  const { phone, port } = await phoneThat('answers');
  const { call, told } = await caller('88', port);
  const boss = await phone.nextCall();
  await told(1);
  await boss.waitForTone(700, 5000);
  await call.waitForTone(1400, 5000);
  await boss.hangUp();
  await call.finished;
  await system.expectNothingLeft();
});
