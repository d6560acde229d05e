import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { tone } from '@callfleet/media';
import { expect, onTestFinished, test } from 'vitest';
import { VoiceProviderError } from './errors.ts';
import { SPEECH_HZ, type Synthesis } from './espeak.ts';
import { localSpeakingBy } from './local.ts';
import { SimulatedCall } from './simulated-call.ts';

/** A voice that takes 60 ms for each character. */
function fakeVoice() {
  const spoken: string[] = [];
  const synthesize: Synthesis = async (text) => {
    spoken.push(text);
    return tone({ hz: 300, ms: text.length * 60, sampleRate: SPEECH_HZ, level: 0.3 });
  };
  return { spoken, synthesize };
}

const dialogue = {
  start: 'menu',
  states: {
    menu: {
      say: 'Press one, or talk to me, please.',
      on: { digits: { 1: 'time', 2: 'number', 3: 'ask' }, speech: 'heard', silence: 'bye', silenceAfterMs: 2000 },
    },
    time: { say: 'You pressed {{digits}}.', on: { speech: 'heard', silence: 'bye', silenceAfterMs: 2000 } },
    heard: { say: 'That was {{heardMs}} ms.', on: { speech: 'heard', silence: 'bye', silenceAfterMs: 2000 } },
    number: { say: 'Your number?', collect: { timeoutMs: 1000, to: 'time' }, on: { speech: 'heard' } },
    ask: { say: 'Wait.', tool: { name: 'weather', arguments: { city: '{{digits}}' }, to: 'told' } },
    told: { say: 'It is {{result}}.', end: 'told' },
    bye: { say: 'Good-bye.', end: 'the caller was silent' },
  },
};

async function localCall(options: Record<string, unknown> = {}) {
  const voice = fakeVoice();
  const call = new SimulatedCall('ulaw');
  await call.connect(localSpeakingBy(voice.synthesize)({ dialogue, thresholdDbfs: -42, ...options }));
  return { call, spoken: voice.spoken };
}

/** Lets what is synthesized come: a turn of the event loop for each second of it. */
async function synthesized(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
}

const MENU_MS = 'Press one, or talk to me, please.'.length * 60;

function turnsOf(call: SimulatedCall): string[] {
  return call.events.flatMap((event) => (event.type === 'turn' ? [`${event.role}: ${event.text}`] : []));
}

test('speaks first, and says good-bye to a caller who is silent', async () => {
  const { call } = await localCall();
  expect(call.queuedMs).toBe(MENU_MS);
  call.say(MENU_MS + 1900, 0);
  expect(turnsOf(call)).toEqual(['bot: Press one, or talk to me, please.']);
  expect(call.queuedMs).toBe(0);
  call.say(1000, 0);
  expect(call.events.slice(-2)).toMatchObject([
    { type: 'turn', role: 'bot', text: 'Good-bye.' },
    { type: 'ended', reason: 'the caller was silent' },
  ]);
  expect(call.timers).toBe(0);
});

test('a caller who speaks silences it within the frame, and is answered when he has finished', async () => {
  const { call } = await localCall();
  call.say(800, 0);
  call.say(60, 0.3);
  expect(call.queuedMs).toBe(0);
  expect(call.events).toMatchObject([
    { type: 'speech-started', atMs: 800 },
    { type: 'turn', role: 'bot', text: 'Press one, or ...' },
    { type: 'interrupted', atMs: 860, unplayedMs: MENU_MS - 860 },
  ]);
  call.say(940, 0.3);
  expect(call.queuedMs).toBe(0);
  call.say(600, 0);
  expect(call.events.slice(-2)).toEqual([
    { type: 'speech-stopped', atMs: 1800 },
    { type: 'turn', role: 'caller', text: '(1000 ms of speech)', startMs: 800, endMs: 1800 },
  ]);
  await synthesized();
  expect(call.queuedMs).toBe('That was 1000 ms.'.length * 60);
});

test('a key silences it at once and leads on', async () => {
  const { call } = await localCall();
  call.say(500, 0);
  call.session.digit('1');
  expect(call.queuedMs).toBe(0);
  expect(call.events.at(-1)).toMatchObject({ type: 'turn', role: 'caller', text: '1' });
  expect(call.events).toContainEqual({ type: 'interrupted', atMs: 500, unplayedMs: MENU_MS - 500 });
  await synthesized();
  expect(call.queuedMs).toBe('You pressed 1.'.length * 60);
  call.say(2000, 0);
  expect(turnsOf(call).at(-1)).toBe('bot: You pressed 1.');
});

test('a key that leads nowhere silences it, and the silence after it counts', async () => {
  const { call } = await localCall();
  call.session.digit('9');
  call.say(1980, 0);
  expect(call.queuedMs).toBe(0);
  call.say(40, 0);
  expect(call.queuedMs).toBeGreaterThan(0);
});

test.each([
  ['12#', 'bot: You pressed 1 2.', 'caller: 1 2 #', 0],
  ['12', 'bot: You pressed 1 2.', 'caller: 1 2', 1000],
])('a number is read until its finish key or a pause: %s', async (keys, said, turn, pauseMs) => {
  const { call } = await localCall();
  call.session.digit('2');
  for (const key of keys) {
    call.say(200, 0);
    call.session.digit(key);
  }
  call.say(pauseMs, 0);
  await synthesized();
  call.say(1500, 0);
  expect(turnsOf(call)).toContain(turn);
  expect(turnsOf(call).at(-1)).toBe(said);
});

test('has the program do something when it has said its words, and goes on with what came of it', async () => {
  const { call } = await localCall();
  call.session.digit('3');
  call.say(280, 0);
  expect(call.events.map(({ type }) => type)).not.toContain('tool-call');
  call.say(40, 0);
  expect(call.events.at(-1)).toEqual({ type: 'tool-call', id: 'tool-1', name: 'weather', arguments: { city: '3' } });
  call.session.toolResult('tool-2', 'snow');
  call.session.toolResult('tool-1', 'sunny');
  await synthesized();
  call.say(1000, 0);
  expect(call.events.slice(-2)).toMatchObject([{ text: 'It is sunny.' }, { type: 'ended', reason: 'told' }]);
});

test('says what it is told to, after what it is saying; an interruption ends both', async () => {
  const { call } = await localCall();
  call.session.say?.('One moment, please.');
  await synthesized();
  const moment = 'One moment, please.'.length * 60;
  expect(call.queuedMs).toBe(MENU_MS + moment);
  call.say(MENU_MS + moment + 40, 0);
  expect(turnsOf(call).at(-1)).toBe('bot: One moment, please.');
  call.session.say?.('One moment, please.');
  call.session.say?.('Another.');
  call.say(200, 0.3);
  await synthesized();
  call.say(200, 0.3);
  expect(call.queuedMs).toBe(0);
});

test('on a line that sends nothing but speech, no audio is silence', async () => {
  const { call } = await localCall();
  call.say(1000, 0.3);
  call.say(1500, undefined);
  expect(turnsOf(call)).toContain('caller: (1000 ms of speech)');
});

test('what was synthesized once is kept for later calls', async () => {
  const { spoken, synthesize } = fakeVoice();
  const make = localSpeakingBy(synthesize);
  const fixed = Object.values(dialogue.states).filter(({ say }) => !say.includes('{{')).length;
  for (let i = 0; i < 3; i += 1) await new SimulatedCall('ulaw').connect(make({ dialogue }));
  expect(spoken).toHaveLength(fixed);
  await new SimulatedCall('ulaw').connect(make({ dialogue, voice: 'de' }));
  expect(spoken).toHaveLength(2 * fixed);
});

test('a voice that fails during a call fails it; at its beginning, it is not begun', async () => {
  const error = new VoiceProviderError('CF_PROVIDER_MISSING', 'local', 'no program');
  const failing = (from: number) => {
    let count = 0;
    const synthesize: Synthesis = async () => {
      count += 1;
      if (count >= from) throw error;
      return new Int16Array(22_050);
    };
    return localSpeakingBy(synthesize)({ dialogue });
  };
  await expect(new SimulatedCall('ulaw').connect(failing(1))).rejects.toBe(error);
  const call = new SimulatedCall('ulaw');
  await call.connect(failing(5));
  call.session.digit('1');
  await synthesized();
  expect(call.events.at(-1)).toEqual({ type: 'failed', error });
  expect(call.timers).toBe(0);
});

test('its dialogue may be in a file, where what is wrong is named too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'callfleet-dialogue-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const dialogueFile = join(folder, 'dialogue.json');
  const opened = () => localCall({ dialogue: undefined, dialogueFile });
  const refused = (message: RegExp) =>
    expect(opened()).rejects.toMatchObject({
      code: 'CF_PROVIDER_OPTIONS',
      message: expect.stringMatching(message),
    });
  await refused(/dialogue\.json: ENOENT/);
  await writeFile(dialogueFile, '{');
  await refused(/dialogue\.json: .*JSON/);
  await writeFile(dialogueFile, JSON.stringify({ start: 'x', states: {} }));
  await refused(/dialogue\.json: start: there is no state "x"/);
  await writeFile(dialogueFile, JSON.stringify(dialogue));
  expect((await opened()).call.queuedMs).toBe(MENU_MS);
});

test('wrong options are named', () => {
  const make = localSpeakingBy(fakeVoice().synthesize);
  expect(() => make({})).toThrow(/one of the options dialogue, dialogueFile/);
  expect(() => make({ dialogue, dialogueFile: '/x' })).toThrow(/one of the options/);
  expect(() => make({ dialogue, voice: '-w/etc/passwd' })).toThrow(/voice: one of espeak-ng's voices/);
  expect(() => make({ dialogue: { start: 'a', states: {} } })).toThrow(/dialogue\.start: there is no state "a"/);
});

test('goes on in another session where it was, and not from the beginning', async () => {
  const voice = fakeVoice();
  const call = new SimulatedCall('ulaw');
  call.history = [
    { role: 'bot', text: 'Press one, or talk to me, please.' },
    { role: 'caller', text: '2' },
    { role: 'bot', text: 'Your number?' },
  ];
  await call.connect(localSpeakingBy(voice.synthesize)({ dialogue, thresholdDbfs: -42 }));
  expect(call.queuedMs).toBe('Your number?'.length * 60);
  call.say(100, 0);
  for (const key of '47#') call.session.digit(key);
  await synthesized();
  call.say(3000, 0);
  expect(turnsOf(call).slice(-2)).toEqual(['caller: 4 7 #', 'bot: You pressed 4 7.']);
  await call.closeIfConnected();
});
