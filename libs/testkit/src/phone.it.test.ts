import { setTimeout as sleep } from 'node:timers/promises';
import { type AriEvent, AriSocket, bridges, channels, expectOk, type UnknownAriEvent } from '@callfleet/ari';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import {
  type Asterisk,
  type CallOptions,
  type Phone,
  type PhoneBehaviour,
  type PhoneOptions,
  placeCall,
  startAsterisk,
  startPhone,
  stasisDialplan,
  toneReport,
} from './mod.ts';

const APP = 'phones';
const AGENT_HZ = 620;
const CALLER_HZ = 440;

let pbx: Asterisk;
let ari: AriSocket;
let events: Array<AriEvent | UnknownAriEvent> = [];
beforeAll(async () => {
  pbx = await startAsterisk({ files: { 'extensions.conf': dialplan() } });
  const { httpUrl: url, username, password } = pbx;
  ari = await AriSocket.connect({ url, username, password, apps: [APP], onEvent: (event) => events.push(event) });
});
afterAll(async () => {
  await ari?.close();
  await pbx?.stop();
});
afterEach(async () => {
  await vi.waitFor(async () => expect(await pbx.channelCount()).toBe(0), { timeout: 3000, interval: 20 });
  events = [];
});

/** `dial` calls what DB(phone/endpoint) says, and keeps how that went. */
function dialplan(): string {
  return `${stasisDialplan([APP])}
[default]
exten => dial,1,Set(CALLERID(name)=Anna "Ann" Bell)
 same => n,Dial(\${DB(phone/endpoint)},\${DB(phone/seconds)},g)
 same => n,Set(DB(phone/status)=\${DIALSTATUS})
 same => n,Hangup()
exten => digits,1,Answer()
 same => n,Read(KEYS,,4,,1,5)
 same => n,Set(DB(heard/digits)=\${KEYS})
 same => n,SendDTMF(7#,100,100)
 same => n,Wait(0.5)
 same => n,Hangup()
`;
}

async function phoneThat(behaviour: PhoneBehaviour, options: Partial<PhoneOptions> = {}): Promise<Phone> {
  const phone = await startPhone({ from: pbx, behaviour, audio: { toneHz: AGENT_HZ }, ...options });
  onTestFinished(() => phone.stop());
  return phone;
}

/** A caller whom the dialplan connects with the phone. */
async function callThrough(phone: Phone, seconds = 20, options: Partial<CallOptions> = {}) {
  await pbx.cli(`database put phone endpoint ${phone.endpoint}`);
  await pbx.cli(`database put phone seconds ${seconds}`);
  await pbx.cli('database del phone status');
  return placeCall({ to: pbx.sipAddress, extension: 'dial', audio: { toneHz: CALLER_HZ }, ...options });
}

const dialStatus = async () => /Value: (\w+)/.exec(await pbx.cli('database get phone status'))?.[1];

test('a phone that answers and its caller hear each other, and it knows who calls', async () => {
  const phone = await phoneThat('answers', { answerAfterMs: 200 });
  const caller = await callThrough(phone);
  const agent = await phone.nextCall();
  expect(agent.from).toEqual({ number: '1001', name: 'Anna "Ann" Bell' });
  await Promise.all([agent.waitForTone(CALLER_HZ, 3000), caller.waitForTone(AGENT_HZ, 3000)]);
  expect(phone.calls).toEqual([agent]);
  expect(agent.rangAtMs).toBeLessThan(150);
  expect(agent.answeredAtMs).toBeGreaterThanOrEqual(199);
  expect((await agent.answered).setupMs).toBe(agent.answeredAtMs);
  expect(agent.endedAtMs).toBeUndefined();

  await caller.hangUp();
  expect(await agent.finished).toMatchObject({ answered: true, hungUpBy: 'caller' });
  expect(agent).toMatchObject({ endedBy: 'caller', endedAtMs: expect.any(Number) });
  expect(toneReport(agent.heard.frames, [CALLER_HZ]).others).toEqual([]);
});

test('a phone hangs up', async () => {
  const phone = await phoneThat('answers');
  const caller = await callThrough(phone);
  const agent = await phone.nextCall();
  await agent.answered;
  // At once: its ACK is still on the way.
  expect(await agent.hangUp()).toMatchObject({ answered: true, hungUpBy: 'callee' });
  expect(await caller.finished).toMatchObject({ answered: true, hungUpBy: 'callee' });
  expect(await dialStatus()).toBe('ANSWER');
});

test.each([
  ['busy', 486, 'BUSY'],
  ['rejects', 603, 'CHANUNAVAIL'],
] as const)('a phone whose behaviour is "%s" gives %i', async (behaviour, status, dialled) => {
  const phone = await phoneThat(behaviour);
  const caller = await callThrough(phone);
  const agent = await phone.nextCall();
  await expect(agent.answered).rejects.toMatchObject({ code: 'CF_CALL_REFUSED', status });
  expect(await agent.finished).toMatchObject({ answered: false, refused: { status }, hungUpBy: 'callee' });
  expect(agent.rangAtMs).toBeUndefined();
  await caller.finished;
  expect(await dialStatus()).toBe(dialled);
});

test('a phone rings until the PBX cancels', async () => {
  const phone = await phoneThat('rings');
  const caller = await callThrough(phone, 1);
  const agent = await phone.nextCall();
  await expect(agent.answered).rejects.toMatchObject({ code: 'CF_CALL_NOT_ANSWERED' });
  expect(await agent.finished).toMatchObject({ answered: false, refused: { status: 487 }, hungUpBy: 'caller' });
  expect(agent.rangAtMs).toBeDefined();
  expect(agent.heard.packetsReceived).toBe(0);
  await caller.finished;
  expect(await dialStatus()).toBe('NOANSWER');
});

test('a phone that rings can decline', async () => {
  const phone = await phoneThat('rings');
  const caller = await callThrough(phone);
  const agent = await phone.nextCall();
  expect(await agent.hangUp()).toMatchObject({ refused: { status: 603 }, hungUpBy: 'callee' });
  await caller.finished;
});

test('early media is heard before the answer', async () => {
  const phone = await phoneThat('early-media', { answerAfterMs: 1500 });
  const caller = await callThrough(phone);
  const agent = await phone.nextCall();
  await caller.waitForTone(AGENT_HZ, 1400);
  expect(agent.answeredAtMs).toBeUndefined();
  expect(agent.rangAtMs).toBeUndefined();
  await agent.answered;
  await agent.waitForTone(CALLER_HZ, 3000);
  await caller.hangUp();
});

test('digits go both ways', async () => {
  const phone = await phoneThat('answers');
  await pbx.cli(`channel originate ${phone.endpoint} extension digits@default`);
  const agent = await phone.nextCall();
  await agent.answered;
  await sleep(300);
  agent.sendDtmf('119*');
  expect(await agent.finished).toMatchObject({ hungUpBy: 'caller' });
  expect(await pbx.cli('database get heard digits')).toContain('119*');
  expect(agent.heard.digits).toBe('7#');
});

test('a phone takes calls at once, and one after the other', async () => {
  const phone = await phoneThat('answers');
  const first = await callThrough(phone);
  const second = await callThrough(phone);
  const agents = [await phone.nextCall(), await phone.nextCall()];
  await first.setAudio({ toneHz: 1500 });
  await Promise.all([agents[0]?.waitForTone(1500, 3000), agents[1]?.waitForTone(CALLER_HZ, 3000)]);
  await Promise.all([first.hangUp(), second.hangUp()]);
  const third = await callThrough(phone);
  await (await phone.nextCall()).answered;
  await third.hangUp();
  expect(phone.calls).toHaveLength(3);
});

test('a hang-up at any moment, by either side, ends the call cleanly', async () => {
  const phone = await phoneThat('answers', { answerAfterMs: 8 });
  for (const ms of [2, 4, 6, 8, 10, 12, 14, 16, 20, 25]) {
    const byCaller = await callThrough(phone, 20, { hangUp: { cancelAfterMs: ms } });
    expect((await byCaller.finished).hungUpBy).toBe('caller');
    const byPhone = await callThrough(phone, 20, { from: '2' });
    let agent = await phone.nextCall();
    while (agent.from.number !== '2') agent = await phone.nextCall();
    await sleep(ms - 2);
    expect((await agent.hangUp()).hungUpBy).toBe('callee');
    await byPhone.finished;
  }
  for (const { from, finished } of phone.calls) {
    expect((await finished).hungUpBy).toBe(from.number === '2' ? 'callee' : 'caller');
  }
});

test('a phone that nobody calls says so', async () => {
  const phone = await phoneThat('answers');
  await expect(phone.nextCall(50)).rejects.toMatchObject({ code: 'CF_PHONE_NOT_CALLED' });
});

test('a phone and a caller hear each other in a bridge, and the caller takes offers in the call', async () => {
  const phone = await phoneThat('answers');
  const { caller, channelId } = await callerInStasis('accepts');
  const { endpoint } = phone;
  expectOk(await ari.request(channels.originate({ endpoint, app: APP, channelId: 'agent', callerId: '"Bo" <42>' })));
  const agent = await phone.nextCall();
  expect(agent.from).toEqual({ number: '42', name: 'Bo' });
  await agent.answered;

  await pbx.cli('pjsip set history on');
  for (let i = 0; i < 2; i += 1) {
    const refresh = { variable: 'PJSIP_SEND_SESSION_REFRESH()', value: 'invite' };
    expectOk(await ari.request(channels.setChannelVar({ channelId, ...refresh })));
    await sleep(200);
  }
  const history = await pbx.cli('pjsip show history');
  expect(history.match(/==> \S+ +INVITE/g)).toHaveLength(2);
  expect(history.match(/<== \S+ +SIP\/2\.0 200 OK/g)).toHaveLength(2);

  expectOk(await ari.request(bridges.create({ bridgeId: 'both', type: 'mixing' })));
  expectOk(await ari.request(bridges.addChannel({ bridgeId: 'both', channel: `${channelId},agent` })));
  await Promise.all([agent.waitForTone(CALLER_HZ, 3000), caller.waitForTone(AGENT_HZ, 3000)]);
  expect((await agent.hangUp()).hungUpBy).toBe('callee');
  expect((await caller.hangUp()).hungUpBy).toBe('caller');
  await ari.request(bridges.destroy({ bridgeId: 'both' }));
});

async function stasisStart(): Promise<string> {
  return vi.waitFor(() => {
    const start = events.find(({ type }) => type === 'StasisStart') as { channel?: { id: string } } | undefined;
    if (!start?.channel) throw new Error('no call came to Stasis');
    return start.channel.id;
  });
}

test('a caller that is referred to another goes there', async () => {
  const { caller, channelId } = await callerInStasis('accepts');
  const endpoint = 'PJSIP/sip:somebody@127.0.0.1:5999';
  expectOk(await ari.request(channels.redirect({ channelId, endpoint })));
  expect(await caller.referredTo).toBe('sip:somebody@127.0.0.1:5999');
  expect(await caller.finished).toMatchObject({ answered: true, hungUpBy: 'caller' });
});

test('a caller that declines to be referred stays', async () => {
  const { caller, channelId } = await callerInStasis('declines');
  for (const who of ['somebody', 'another']) {
    const endpoint = `PJSIP/sip:${who}@127.0.0.1:5999`;
    expectOk(await ari.request(channels.redirect({ channelId, endpoint })));
  }
  expect(await caller.referredTo).toBe('sip:somebody@127.0.0.1:5999');
  await sleep(300);
  expectOk(await ari.request(channels.hangup({ channelId })));
  expect(await caller.finished).toMatchObject({ answered: true, hungUpBy: 'callee' });
});

async function callerInStasis(refer: 'accepts' | 'declines') {
  const caller = await placeCall({ to: pbx.sipAddress, extension: 'stasis', audio: { toneHz: CALLER_HZ }, refer });
  const channelId = await stasisStart();
  expectOk(await ari.request(channels.answer({ channelId })));
  await caller.answered;
  return { caller, channelId };
}

test('a caller that was not referred says so at its end', async () => {
  const caller = await placeCall({ to: pbx.sipAddress, extension: 'echo' });
  await caller.hangUp();
  await expect(caller.referredTo).rejects.toMatchObject({ code: 'CF_CALL_NOT_REFERRED' });
});
