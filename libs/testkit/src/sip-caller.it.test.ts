import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Asterisk, FALLBACK_TONE_HZ, placeCall, startAsterisk, stasisDialplan, toneReport } from './mod.ts';

const DIALPLAN = `${stasisDialplan(['nobody-serves-this'])}
[default]
exten => rings,1,Ringing()
 same => n,Wait(60)
exten => busy,1,Busy()
exten => digits,1,Answer()
 same => n,Read(KEYS,,4,,1,5)
 same => n,Set(DB(heard/digits)=\${KEYS})
 same => n,SendDTMF(7#,100,100)
 same => n,Wait(0.5)
 same => n,Hangup()
exten => brief,1,Answer()
 same => n,Playtones(500)
 same => n,Wait(0.5)
 same => n,Hangup()
`;

let pbx: Asterisk;
beforeAll(async () => {
  pbx = await startAsterisk({ files: { 'extensions.conf': DIALPLAN } });
});
afterAll(() => pbx?.stop());
afterEach(async () => {
  for (let i = 0; i < 50 && (await pbx.channelCount()) > 0; i += 1) await sleep(20);
  expect(await pbx.channelCount()).toBe(0);
});

const call = (extension: string, options: Partial<Parameters<typeof placeCall>[0]> = {}) =>
  placeCall({ to: pbx.sipAddress, extension, ...options });

test('a caller hears its own tone from Echo(), and no other', async () => {
  const sip = await call('echo', { audio: { toneHz: 440 }, hangUp: { afterMs: 1500 } });
  const { setupMs } = await sip.answered;
  const report = await sip.finished;
  expect(report).toMatchObject({ answered: true, setupMs, refused: undefined, hungUpBy: 'caller' });
  expect(report.endedAtMs).toBeGreaterThan(1400);
  const { expected, others } = toneReport(report.heard.frames, [440]);
  expect(others).toEqual([]);
  expect(expected).toHaveLength(1);
  expect(report.heard.packetsReceived).toBeGreaterThan(60);
  expect(report.heard.ssrcChangesAtMs).toEqual([]);
  expect(report.heard.dominantTone()?.hz).toBe(440);
});

test('what a caller says can be changed during the call', async () => {
  const sip = await call('echo', { audio: { toneHz: 440 } });
  await sip.waitForTone(440, 3000);
  const changed = await sip.setAudio({ toneHz: 700 });
  expect(await sip.waitForTone(700, 3000)).toBeGreaterThan(changed);
  await sip.setAudio(null);
  await expect(sip.waitForTone(440, 300)).rejects.toMatchObject({ code: 'CF_TONE_NOT_HEARD' });
  const { heard } = await sip.hangUp();
  expect(toneReport(heard.frames, [440, 700]).expected.map(({ hz }) => hz)).toEqual([440, 700]);
});

test('digits reach the dialplan, at given times and whenever, and those of the far side are heard', async () => {
  const sip = await call('digits', {
    dtmf: [
      { digit: '1', atMs: 200 },
      { digit: '1', atMs: 210 },
    ],
  });
  await sip.answered;
  await sleep(600);
  sip.sendDtmf('9*');
  const { heard, hungUpBy } = await sip.finished;
  expect(hungUpBy).toBe('callee');
  expect(await pbx.cli('database get heard digits')).toContain('119*');
  expect(heard.digits).toBe('7#');
});

test('a call that the PBX ends is ended for the caller', async () => {
  const sip = await call('brief');
  const report = await sip.finished;
  expect(report).toMatchObject({ answered: true, hungUpBy: 'callee' });
  expect(report.heard.dominantTone()?.hz).toBe(500);
});

test('a caller that gives up while it rings was never answered', async () => {
  const sip = await call('rings', { hangUp: { cancelAfterMs: 100 } });
  await expect(sip.answered).rejects.toMatchObject({ code: 'CF_CALL_NOT_ANSWERED' });
  expect(await sip.finished).toMatchObject({ answered: false, refused: { status: 487 }, hungUpBy: 'caller' });
  const impatient = await call('rings', { ringTimeoutMs: 100 });
  expect(await impatient.finished).toMatchObject({ answered: false, hungUpBy: 'caller' });
});

test('a call that is refused says with what', async () => {
  const sip = await call('busy');
  await expect(sip.answered).rejects.toMatchObject({ code: 'CF_CALL_REFUSED', status: 486 });
  expect(await sip.finished).toMatchObject({ answered: false, hungUpBy: 'callee', refused: { status: 486 } });
});

test('a call for which no application is there hears the fallback', async () => {
  const sip = await call('4711');
  await sip.waitForTone(FALLBACK_TONE_HZ, 3000);
  expect((await sip.hangUp()).hungUpBy).toBe('caller');
});

test.each([0, 1, 2, 3, 5, 8, 20])(
  'a hang-up %i ms after the INVITE ends cleanly, answered or not',
  async (cancelAfterMs) => {
    const calls = await Promise.all(Array.from({ length: 5 }, () => call('echo', { hangUp: { cancelAfterMs } })));
    for (const sip of calls) expect((await sip.finished).hungUpBy).toBe('caller');
  },
);

test('both sides may hang up in the same moment', async () => {
  const calls = await Promise.all(
    Array.from({ length: 20 }, (_, i) => call('brief', { hangUp: { afterMs: 490 + i } })),
  );
  for (const sip of calls) expect((await sip.finished).hungUpBy).toMatch(/caller|callee/);
});

test('an aborted signal hangs up', async () => {
  const owner = new AbortController();
  const sip = await call('echo', { signal: owner.signal });
  await sip.answered;
  owner.abort();
  expect((await sip.finished).hungUpBy).toBe('caller');
});

test('forty calls at once hear each its own tone, without a gap', async () => {
  const hz = (i: number) => 400 + 40 * i;
  const calls = await Promise.all(Array.from({ length: 40 }, (_, i) => call('echo', { audio: { toneHz: hz(i) } })));
  await Promise.all(calls.map((sip) => sip.answered));
  await sleep(2000);
  expect(await pbx.channelCount()).toBe(40);
  const reports = await Promise.all(calls.map((sip) => sip.hangUp()));
  expect(reports.map(({ heard }) => heard.dominantTone()?.hz)).toEqual(reports.map((_, i) => hz(i)));
  expect(Math.max(...reports.map(({ heard }) => heard.longestGapMs()))).toBeLessThan(2000);
});

test('what can not be dialled is named', async () => {
  await expect(call('1[2]')).rejects.toThrow('"1[2]" can\'t be dialled');
});

test('a call to nobody ends', async () => {
  const sip = await placeCall({ to: { host: '127.0.0.1', port: 9 }, extension: '1', ringTimeoutMs: 100 });
  await expect(sip.answered).rejects.toMatchObject({ code: 'CF_CALL_NOT_ANSWERED' });
  expect((await sip.finished).hungUpBy).toBeUndefined();
});
