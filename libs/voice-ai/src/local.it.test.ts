import { dbfsOf, fromPcm, Resampler, toneLevel, toPcm } from '@callfleet/media';
import { installParts } from '@callfleet/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { espeak, SPEECH_HZ } from './espeak.ts';
import { describeProvider } from './provider-conformance.ts';
import { providerNamed } from './providers.ts';
import { SimulatedCall } from './simulated-call.ts';

beforeAll(() => installParts(() => {}, ['espeak-ng']));

const english = { voice: 'en', wordsPerMinute: 165 };

describeProvider('local', {
  options: {
    // The callers of these tests whistle.
    thresholdDbfs: -42,
    dialogue: {
      start: 'listen',
      states: {
        listen: { on: { speech: 'answer' } },
        answer: { say: 'I have heard you. What else can I do for you?', on: { speech: 'answer' } },
      },
    },
  },
});

test.each([0, 600])(
  'a person who speaks silences it, line noise does not; with %i ms of silence after it',
  async (restMs) => {
    const call = new SimulatedCall('slin');
    const dialogue = {
      start: 'hello',
      states: {
        hello: { say: 'I say so much that nobody wants to listen to all of it. '.repeat(3), on: { speech: 'hello' } },
      },
    };
    await call.connect(providerNamed('local', { dialogue }));
    call.say(1000, 0.001);
    expect(call.events).toEqual([]);
    const speech = new Resampler({ fromHz: SPEECH_HZ, toHz: 8000 }).process(await espeak('Stop it now.', english));
    const said = fromPcm(call.format, Int16Array.from([...speech, ...new Int16Array(restMs * 8)]));
    let silencedAtMs: number | undefined;
    for (let at = 0; at + 320 <= said.length; at += 320) {
      call.pass(20);
      call.session.hear(said.subarray(at, at + 320));
      if (call.events.some(({ type }) => type === 'interrupted')) silencedAtMs ??= at / 16;
    }
    expect(silencedAtMs).toBeLessThan(300);
    call.say(1000, undefined);
    expect(call.events.map((event) => ('role' in event ? event.role : event.type))).toEqual([
      'speech-started',
      'bot',
      'interrupted',
      'speech-stopped',
      'caller',
    ]);
    expect(call.queuedMs).toBeGreaterThan(1000);
  },
);

describe('espeak-ng', () => {
  test('speaks: as long, as loud and as deep as a person', async () => {
    const pcm = await espeak('Press 1 to hear how long you have been in this call.', english);
    const ms = (pcm.length * 1000) / SPEECH_HZ;
    expect(ms).toBeGreaterThan(2000);
    expect(ms).toBeLessThan(6000);
    expect(dbfsOf(pcm)).toBeGreaterThan(-30);
    expect(dbfsOf(pcm)).toBeLessThan(-8);
  });

  test.each(['ulaw', 'slin16'] as const)(
    'is heard by the caller, as %s, with the telephone band in it',
    async (format) => {
      const call = new SimulatedCall(format);
      const dialogue = {
        start: 'hello',
        states: { hello: { say: 'Hello, this is the bot of the demo.', end: 'done' } },
      };
      await call.connect(providerNamed('local', { dialogue }));
      call.say(4000, 0);
      const heard = Int16Array.from(call.played.flatMap((frame) => [...toPcm(call.format, frame)]));
      const band = (from: number, to: number) => {
        let level = 0;
        for (let hz = from; hz < to; hz += 50) level += toneLevel(heard, call.format.sampleRate, hz);
        return level;
      };
      expect(band(100, 3400)).toBeGreaterThan(10 * band(3600, 4000));
      expect(call.events.map(({ type }) => type)).toEqual(['turn', 'ended']);
    },
  );

  test('takes any text for words, never for an option, a file or a command', async () => {
    for (const text of ['-w /tmp/x', '$(touch /tmp/x)', '<speak>&', '"; \n', 'Grüße, 你好'])
      expect((await espeak(text, english)).length).toBeGreaterThanOrEqual(0);
    expect(await espeak('', english)).toHaveLength(0);
  });

  test('speaks many phrases at once', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => espeak(`This is number ${i}.`, english)));
    for (const pcm of all) expect(pcm.length).toBeGreaterThan(SPEECH_HZ / 2);
  });

  test('a voice that there is not is named', async () => {
    await expect(espeak('Hello.', { ...english, voice: 'elvish-x' })).rejects.toMatchObject({
      code: 'CF_PROVIDER_OPTIONS',
      message: expect.stringContaining('"elvish-x"'),
    });
  });

  test('without the program, an error says what to install', async () => {
    const path = process.env.PATH;
    process.env.PATH = '/nowhere';
    try {
      await expect(espeak('Hello.', english)).rejects.toMatchObject({
        code: 'CF_PROVIDER_MISSING',
        message: expect.stringContaining('apt-get install espeak-ng'),
      });
    } finally {
      process.env.PATH = path;
    }
  });
});
