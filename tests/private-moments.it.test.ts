import { setTimeout as wait } from 'node:timers/promises';
import { toneLevel } from '@callfleet/media';
import { type Asterisk, placeCall } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTracedFleet, type TracedFleet } from './traced-fleet.ts';
import { startVoiceAi, type VoiceAi } from './voice-ai.ts';

let ai: VoiceAi;
let system: TracedFleet;
const POLL = { timeout: 10_000, interval: 20 };

/** What the caller presses and how he sounds, in private and otherwise. */
const CARD = '7391';
const PRIVATE_HZ = 1300;
const PUBLIC_HZ = 600;

/** Everything that goes over NATS. */
const messages: Array<{ readonly subject: string; readonly text: string }> = [];

beforeAll(async () => {
  ai = await startVoiceAi();
  system = await startTracedFleet({ config: { telemetry: { level: 'debug' } } });
  system.bus.nc.subscribe('>', {
    callback: (_error, message) => {
      // What the call's own stream answers to those who may read it is looked at in the stream's subjects.
      if (!message.headers?.has('Nats-Stream')) messages.push({ subject: message.subject, text: message.string() });
    },
  });
  await system.bus.nc.flush();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await system?.stop();
  await ai?.stop();
});

test.each([
  ['websocket', 0, '4101'],
  ['rtp', 1, '4102'],
])('nobody but the program learns what a caller says and presses in private: %s', async (_transport, nth, from) => {
  const pbx = system.pbxs[nth] as Asterisk;
  messages.length = 0;
  const toAi = heardByAi();
  const { length: connectedBefore } = ai.connections;
  const sip = await placeCall({ to: pbx.sipAddress, extension: '504', from });
  await sip.answered;
  await vi.waitFor(() => expect(ai.connections.length).toBe(connectedBefore + 1), POLL);
  await wait(500);
  const speak = async (toneHz: number) => {
    await sip.setAudio({ toneHz });
    await wait(800);
    await sip.setAudio(null);
    await wait(1300);
  };
  await speak(PUBLIC_HZ);
  sip.sendDtmf('5');
  await expect.poll(() => asked('private').length, POLL).toBe(1);
  // The recording is told in the same moment as the relay.
  await wait(700);
  await speak(PRIVATE_HZ);
  sip.sendDtmf(CARD);
  await expect.poll(() => asked('private').length, POLL).toBe(2);
  await wait(700);
  await speak(PUBLIC_HZ);
  await sip.hangUp();
  const record = await system.recordOf(from);
  const ofCall = () =>
    system.collector.spans().filter(({ attributes }) => attributes['callfleet.call'] === record.call);
  await expect.poll(() => ofCall().map(({ name }) => name), POLL).toContain('media session');
  await wait(500);

  // What is not private is where it should be: otherwise nothing would be proved.
  const recorded = await recordingOf(pbx, record.call);
  expect(toAi.msOf(PUBLIC_HZ)).toBeGreaterThan(1200);
  expect(msOfTone(recorded, PUBLIC_HZ)).toBeGreaterThan(1200);
  expect(JSON.stringify(ai.last.received)).toContain('telephone: 5');
  const turns = messages.filter(({ text }) => text.includes('"media.turn"') && text.includes('"caller"'));
  expect(turns, 'two of the caller').toHaveLength(2);

  expect(toAi.msOf(PRIVATE_HZ), 'the AI').toBe(0);
  expect(JSON.stringify(ai.last.received), 'the AI').not.toMatch(/[7391]{2}|telephone: [7391]/);
  expect(msOfTone(recorded, PRIVATE_HZ), 'the recording').toBe(0);
  expect(
    asked('digit').map(({ text }) => JSON.parse(text).key),
    'the relay',
  ).toEqual(['5']);
  expect(JSON.stringify(record), 'the call record').not.toContain(CARD);
  expect(record.digits).toBe(5);

  const spans = ofCall();
  expect(JSON.stringify(spans), 'spans').not.toMatch(digitsIn);
  expect(spans.flatMap(({ events }) => events.filter(({ name }) => name === 'dtmf'))).toHaveLength(5);
  // One each time that the caller was heard to speak.
  expect(spans.filter(({ name }) => name === 'listen')).toHaveLength(2);
  expect(
    system.complaints.filter((line) => digitsIn.test(line)),
    'log lines of all services',
  ).toEqual([]);
  expect(system.complaints.some((line) => line.includes('"msg":"call.ended"'))).toBe(true);

  // The key presses themselves, and what the program was told, are in the call's own stream alone, as the manual says.
  const elsewhere = messages.filter(({ subject }) => !/^cf\.call\.[^.]+\.[^.]+\.(ev|journal)$/.test(subject));
  expect(elsewhere.filter(({ text }) => text.includes(CARD) || /"digit":"[7391]"/.test(text))).toEqual([]);
});

/** A digit as what somebody pressed, or all of them. Counts are no secret. */
const digitsIn = new RegExp(`${CARD}|"[^"]*(digits?|dtmf|key)":\\s*"[0-9*#]*[0-9]`);

/** Requests to relays. */
function asked(op: string): typeof messages {
  return messages.filter(({ subject, text }) => subject.startsWith('cf.relay.') && text.includes(`"op":"${op}"`));
}

function heardByAi() {
  const heard: number[] = [];
  ai.onHeard = (pcm) => heard.push(...pcm);
  return { msOf: (hz: number) => msOfTone(Int16Array.from(heard), hz) };
}

/** A recording's samples, 8 kHz. */
async function recordingOf(pbx: Asterisk, call: string): Promise<Int16Array> {
  const authorization = `Basic ${Buffer.from(`${pbx.username}:${pbx.password}`).toString('base64')}`;
  const get = (path: string) => fetch(`${pbx.httpUrl}/ari/recordings/stored${path}`, { headers: { authorization } });
  const stored = (await (await get('')).json()) as Array<{ name: string }>;
  const [name, ...more] = stored.map((recording) => recording.name).filter((one) => one.startsWith(call));
  expect(more).toEqual([]);
  const file = Buffer.from(await (await get(`/${encodeURIComponent(name ?? '')}/file`)).arrayBuffer());
  return new Int16Array(file.buffer.slice(file.byteOffset + 44, file.byteOffset + file.length - (file.length % 2)));
}

/** Of audio at 8 kHz. */
function msOfTone(pcm: Int16Array, hz: number): number {
  const windowMs = 100;
  const starts = Array.from({ length: Math.floor(pcm.length / (windowMs * 8)) }, (_, n) => n * windowMs * 8);
  return starts.filter((at) => toneLevel(pcm.subarray(at, at + windowMs * 8), 8000, hz) > 0.3).length * windowMs;
}
