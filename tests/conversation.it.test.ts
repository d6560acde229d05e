import { setTimeout as wait } from 'node:timers/promises';
import { placeCall, toneReport } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

let system: TestFleet;

beforeAll(async () => {
  system = await startTestFleet();
});
afterAll(() => system?.stop());

test('twenty callers at once, ten on each PBX, each hear their own tone and no other', async () => {
  const callers = system.pbxs.flatMap((pbx, p) =>
    Array.from({ length: 10 }, (_, n) => ({
      pbx,
      from: `1${p}${String(n).padStart(2, '0')}`,
      hz: 400 + (p * 10 + n) * 90,
    })),
  );
  const calls = await Promise.all(
    callers.map(async ({ pbx, from, hz }) => {
      const call = await placeCall({ to: pbx.sipAddress, extension: '100', from, audio: { toneHz: hz } });
      await call.answered;
      return { call, from, hz, pbx: pbx.name };
    }),
  );
  await Promise.all(calls.map(({ call, hz }) => call.waitForTone(hz, 10_000)));
  await wait(2000);
  const reports = await Promise.all(calls.map(async ({ call, ...who }) => ({ ...who, report: await call.hangUp() })));

  for (const { from, hz, report, pbx } of reports) {
    const tones = toneReport(report.heard.frames, [hz]);
    const heardMs = tones.expected.reduce((sum, tone) => sum + tone.toMs - tone.fromMs, 0);
    expect(heardMs, `${from} hears its own ${hz} Hz`).toBeGreaterThan(1000);
    const long = tones.others.filter((tone) => tone.toMs - tone.fromMs > 100);
    expect(long, `${from} hears no other`).toEqual([]);
    const record = await system.recordOf(from);
    expect(record).toMatchObject({ pbx, program: { name: 'echo-bot' }, endedBy: 'caller' });
    expect(record.media[0]?.heard.speechMs, `${from} is heard`).toBeGreaterThan(1000);
  }
  expect(new Set(reports.map(({ pbx }) => pbx)).size).toBe(2);
  await system.expectNothingLeft();
});

test('both ways of carrying media are in use', async () => {
  const transports = await Promise.all(
    system.pbxs.map(async (pbx, n) => {
      const from = `150${n}`;
      const call = await placeCall({ to: pbx.sipAddress, extension: '100', from, audio: { toneHz: 700 } });
      await call.waitForTone(700, 10_000);
      await call.hangUp();
      return (await system.recordOf(from)).media[0]?.transport;
    }),
  );
  expect(transports).toEqual(['websocket', 'rtp']);
});

test('the parrot waits until its caller is silent, and says it back', async () => {
  for (const [n, pbx] of system.pbxs.entries()) {
    const call = await placeCall({ to: pbx.sipAddress, extension: '200', from: `160${n}`, audio: { toneHz: 900 } });
    await call.answered;
    await wait(1500);
    expect(call.heard.level(900), 'nothing comes back while the caller speaks').toBeLessThan(0.1);
    await call.setAudio(null);
    await call.waitForTone(900, 5000);
    await call.hangUp();
  }
  await system.expectNothingLeft();
});

test('a menu reads a digit and acts on it', async () => {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const call = await placeCall({ to: pbx.sipAddress, extension: '300', from: '1700', audio: { toneHz: 800 } });
  await call.answered;
  call.sendDtmf('1');
  await wait(1500);
  await call.setAudio(null);
  await call.waitForTone(800, 8000);
  await call.hangUp();
  const record = await system.recordOf('1700');
  expect(record).toMatchObject({ program: { name: 'ivr' }, digits: 1, endedBy: 'caller', takeovers: 0 });
  const { ringMs, talkMs = 0, botMs = 0, media } = record;
  expect(ringMs + talkMs).toBe(Date.parse(record.endedAt) - Date.parse(record.enteredAt));
  expect(botMs).toBeGreaterThan(500);
  expect(botMs).toBeLessThan(talkMs);
  expect(media).toMatchObject([{ provider: 'parrot', talkMs: botMs, usage: {} }]);
});

test('digits pressed during the prompt are read, in order, and the bot hangs up', async () => {
  for (const [n, pbx] of system.pbxs.entries()) {
    const from = `180${n}`;
    const call = await placeCall({ to: pbx.sipAddress, extension: '500', from });
    await call.answered;
    call.sendDtmf('1234');
    const report = await call.finished;
    expect(report.hungUpBy).toBe('callee');
    const record = await system.recordOf(from);
    expect(record).toMatchObject({ program: { name: 'reads-digits' }, digits: 4, endedBy: 'program' });
    expect(record).not.toHaveProperty('error');
  }
  await system.expectNothingLeft();
});

test('a bot rings, answers, and presses digits towards its caller', async () => {
  for (const [n, pbx] of system.pbxs.entries()) {
    const from = `190${n}`;
    const call = await placeCall({ to: pbx.sipAddress, extension: '800', from });
    const report = await call.finished;
    expect(report).toMatchObject({ answered: true, hungUpBy: 'callee' });
    expect(report.heard.digits).toBe('42#');
    expect(await system.recordOf(from)).toMatchObject({ program: { name: 'presses-digits' }, endedBy: 'program' });
  }
});
