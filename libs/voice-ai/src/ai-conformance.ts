import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dbfsOf, toPcm } from '@callfleet/media';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { describeBargeIn } from './barge-in-conformance.ts';
import type { VoiceProviderError } from './errors.ts';
import { askAndBeAnswered, type LocalAi, oneOf } from './local-ai.ts';
import { LocalCall } from './local-call.ts';
import { describeProvider } from './provider-conformance.ts';
import { providerNamed } from './providers.ts';

export interface AiUnderTest<Ai extends LocalAi> {
  readonly name: string;
  start(): Promise<Ai>;
  /** Options beside `url`, `key` and `keyFile`. */
  readonly options?: Record<string, unknown>;
  /** What this AI's protocol can't say. */
  readonly without?: ReadonlyArray<
    'turns' | 'tools' | 'tool options' | 'texts' | 'words' | 'usage' | 'ready' | 'watch' | 'key' | 'say'
  >;
}

/** The variable that the provider is told to read. */
const KEY_VARIABLE = 'CALLFLEET_TEST_AI_KEY';

/** What every AI behind a WebSocket must do, on a local one. @returns for further tests: the AI, and a call with it */
export function describeAi<Ai extends LocalAi>(given: AiUnderTest<Ai>) {
  const { name, without = [] } = given;
  let ai: Ai;
  const calls: LocalCall[] = [];
  const options: Record<string, unknown> = { ...given.options, key: KEY_VARIABLE };
  const newCall = (format: ConstructorParameters<typeof LocalCall>[0] = 'ulaw') => {
    const call = new LocalCall(format);
    calls.push(call);
    return call;
  };
  const connected = async (more: Record<string, unknown> = {}, format?: 'ulaw' | 'alaw' | 'slin16') => {
    const call = newCall(format);
    await call.connect(providerNamed(name, { ...options, ...more }));
    return call;
  };
  const refusal = (more: Record<string, unknown> = {}): Promise<VoiceProviderError> =>
    newCall()
      .connect(providerNamed(name, { ...options, ...more }))
      .then(
        () => expect.unreachable(),
        (error) => error,
      );

  beforeAll(async () => {
    ai = await given.start();
    options.url = ai.url;
    process.env[KEY_VARIABLE] = ai.key;
  });
  afterEach(async () => {
    ai.reset();
    for (const call of calls.splice(0)) await call.closeIfConnected();
  });
  afterAll(() => ai.stop());

  describeProvider(name, { options, newCall });

  const under = {
    name,
    ai: () => ai,
    connected,
    options,
    takesTexts: !without.includes('texts'),
    tellsWords: !without.includes('words'),
  };
  describeBargeIn(under);

  describe(`${name}, an AI behind a WebSocket`, () => {
    test.skipIf(without.includes('turns'))('tells who said what, in order, when it was heard', async () => {
      ai.answers.push({ text: 'Good morning.', ms: 1000 });
      const call = await connected();
      await call.say(500, 0);
      await call.say(1000, 0.3);
      await call.say(5500, 0);
      const turns = call.events.filter((event) => event.type === 'turn');
      expect(turns.map(({ role, text }) => [role, text])).toEqual([
        ['caller', 'This is the caller.'],
        ['bot', 'Good morning.'],
      ]);
      const [caller, bot] = turns;
      if (!caller || !bot) return expect.unreachable();
      expect(Math.abs(caller.startMs - 500)).toBeLessThan(120);
      expect(Math.abs(caller.endMs - 1500)).toBeLessThan(250);
      const loud = call.played.flatMap((frame, i) => (dbfsOf(toPcm(call.format, frame)) > -60 ? [i * 20] : []));
      expect(Math.abs(bot.startMs - (loud[0] ?? 0))).toBeLessThan(100);
      expect(Math.abs(bot.endMs - ((loud.at(-1) ?? 0) + 20))).toBeLessThan(100);
      expect(bot.endMs - bot.startMs).toBe(1000);
    });

    test.skipIf(without.includes('turns'))('tells of a bot that was cut short only what was heard', async () => {
      ai.answers.push({ text: 'One two three four five six seven eight.', ms: 4000 });
      const call = await connected();
      await askAndBeAnswered(call);
      await call.say(1000, undefined);
      await call.say(1000, 0.3);
      await call.say(2500, 0);
      const bot = call.events.find((event) => event.type === 'turn' && event.role === 'bot');
      expect(bot).toMatchObject({ text: expect.stringMatching(/^One two( three)? \.\.\.$/) });
    });

    test.skipIf(without.includes('tools'))(
      'has the program do something, and answers with what came of it',
      async () => {
        ai.answers.push({ tool: { name: 'weather', arguments: { city: 'Bonn' } } }, { ms: 1200 });
        const tools = [{ name: 'weather', description: 'The weather of a city.' }];
        const call = await connected(without.includes('tool options') ? {} : { tools });
        await call.say(800, 0.3);
        await call.say(1000, 0);
        const asked = await vi.waitFor(() => oneOf(call, 'tool-call'));
        expect(asked).toMatchObject({ name: 'weather', arguments: { city: 'Bonn' } });
        expect(call.playedMs + call.queuedMs).toBe(0);
        call.session.toolResult('another', 'snow');
        call.session.toolResult(asked.id, 'It rains.');
        await vi.waitFor(() => expect(call.queuedMs).toBeGreaterThan(1000));
        const told = JSON.stringify(ai.last.received);
        expect(told).toContain('It rains.');
        expect(told).not.toContain('snow');
      },
    );

    test.skipIf(without.includes('texts'))('is told the digits that the caller enters, as one number', async () => {
      const call = await connected({ digitsTimeoutMs: 500 });
      for (const key of '1234#') call.session.digit(key);
      await vi.waitFor(() => expect(JSON.stringify(ai.last.received)).toContain('telephone: 1234"'));
      await vi.waitFor(() => expect(call.queuedMs).toBeGreaterThan(900));
      call.session.digit('7');
      await call.say(600, undefined);
      await vi.waitFor(() => expect(JSON.stringify(ai.last.received)).toContain('telephone: 7"'));
    });

    test.skipIf(without.includes('texts'))('is told what was said before, in place of a greeting', async () => {
      const call = newCall();
      call.history = [
        { role: 'bot', text: 'Good morning.' },
        { role: 'caller', text: 'I want a blue bicycle.' },
      ];
      await call.connect(providerNamed(name, { ...options, greeting: 'Welcome!' }));
      const received = () => JSON.stringify(ai.last.received);
      await vi.waitFor(() => expect(received()).toContain('I want a blue bicycle.'));
      expect(received()).toContain('Good morning.');
      expect(received()).not.toContain('Welcome!');
    });

    test.skipIf(without.includes('say'))('says what it is told to, after what it is saying', async () => {
      ai.answers.push({ ms: 1500 });
      const call = await connected();
      await askAndBeAnswered(call);
      call.session.say?.('Please hold the line.');
      await call.say(4500, 0);
      expect(call.playedMs).toBeCloseTo(2500, -2);
      const bot = call.events.filter((event) => event.type === 'turn' && event.role === 'bot');
      expect(bot).toMatchObject([{ text: 'I have heard you.' }, { text: 'Please hold the line.' }]);
      expect(call.events.filter(({ type }) => type === 'interrupted')).toEqual([]);
    });

    test.runIf(without.includes('say'))('does not take words that it has no way to say', async () => {
      expect((await connected()).session.say).toBeUndefined();
    });

    test.skipIf(without.includes('usage'))('says what it has used', async () => {
      const call = await connected();
      await askAndBeAnswered(call);
      await call.say(1500, 0);
      await vi.waitFor(() => oneOf(call, 'usage'));
    });

    test.skipIf(without.includes('key'))(
      'needs a key, from the environment or a file, and shows it to nobody',
      async () => {
        expect(await refusal({ key: 'CALLFLEET_NO_KEY' })).toMatchObject({ code: 'CF_PROVIDER_KEY' });
        expect(await refusal({ keyFile: '/nowhere/key' })).toMatchObject({ code: 'CF_PROVIDER_KEY' });
        expect(() => providerNamed(name, { ...options, key: 'sk-123' })).toThrow(/^(?!.*sk-123).*key: /);
        const folder = await mkdtemp(join(tmpdir(), 'callfleet-key-'));
        await writeFile(join(folder, 'key'), `${ai.key}\n`);
        await connected({ key: 'CALLFLEET_NO_KEY', keyFile: join(folder, 'key') });
        await writeFile(join(folder, 'key'), 'a-wrong-key');
        const refused = await refusal({ keyFile: join(folder, 'key') });
        expect(refused).toMatchObject({ code: 'CF_PROVIDER_REFUSED', message: expect.stringContaining('401') });
        expect(`${refused.stack}${JSON.stringify(refused)}`).not.toContain('a-wrong-key');
        await rm(folder, { recursive: true });
      },
    );

    test('is not sent anything where it is not encrypted, but on this machine', () => {
      for (const url of ['ws://ai.example.com/v1', 'https://ai.example.com', 'wss://user:pass@ai.example.com', 'x'])
        expect(() => providerNamed(name, { ...options, url })).toThrow(/url: /);
    });

    test.each([
      [401, 'CF_PROVIDER_REFUSED'],
      [429, 'CF_PROVIDER_LIMITED'],
      [503, 'CF_PROVIDER_FAILED'],
    ])('says why it is not there: HTTP %i is %s', async (status, code) => {
      ai.faults.refuse = status;
      expect(await refusal()).toMatchObject({ code, provider: name, message: expect.stringContaining(String(status)) });
    });

    test('is not there where nobody listens', async () => {
      expect(await refusal({ url: 'ws://127.0.0.1:1/' })).toMatchObject({ code: 'CF_PROVIDER_LOST' });
    });

    test.each<'hang' | 'mute'>(without.includes('ready') ? ['hang'] : ['hang', 'mute'])(
      'has failed when it does not answer at the beginning: %s',
      async (fault) => {
        ai.faults[fault] = true;
        const call = newCall();
        const connecting = call.connect(providerNamed(name, options)).catch((error) => error);
        await new Promise((resolve) => setTimeout(resolve, 100));
        call.pass(8000);
        expect(await connecting).toMatchObject({ code: 'CF_PROVIDER_TIMEOUT' });
        expect(call.timers).toBe(0);
      },
    );

    test('stops connecting when the call ends', async () => {
      ai.faults.mute = true;
      if (without.includes('ready')) ai.faults.hang = true;
      const call = newCall();
      const connecting = call.connect(providerNamed(name, options)).catch((error) => error);
      await new Promise((resolve) => setTimeout(resolve, 50));
      call.hangup.abort(new Error('hung up'));
      expect(await connecting).toMatchObject({ message: 'hung up' });
      expect(call.timers).toBe(0);
    });

    test.each([undefined, 1011])('has failed when it goes away during a call, with code %s', async (code) => {
      const call = await connected();
      await call.say(200, 0.3);
      ai.last.drop(code);
      const { error } = await vi.waitFor(() => oneOf(call, 'failed'));
      expect(error).toMatchObject({ code: 'CF_PROVIDER_LOST', provider: name });
      await call.say(400, 0.3);
      expect(call.events.at(-1)?.type).toBe('failed');
      expect(call.timers).toBe(0);
    });

    test.each([
      [1011, 'You exceeded your current quota, please check your plan and billing details.'],
      [1008, 'This request exceeds your quota limit.'],
      [4429, 'Too many concurrent sessions'],
      [1013, ''],
    ])('says that its limit is reached when it closes for that, and is not asked again: %i %s', async (code, why) => {
      const call = await connected();
      // Long enough for one that goes on over a new connection where it can.
      await askAndBeAnswered(call);
      await call.say(1500, 0);
      call.pass(9000);
      await call.say(20, 0);
      const before = ai.connections.length;
      ai.last.drop(code, why);
      const { error } = await vi.waitFor(() => oneOf(call, 'failed'));
      expect(error).toMatchObject({ code: 'CF_PROVIDER_LIMITED', provider: name });
      expect(ai.connections).toHaveLength(before);
    });

    test('has failed when it is there no more, though nobody said so', async () => {
      const call = await connected();
      ai.last.freeze();
      call.pass(10_000);
      call.pass(10_000);
      expect(oneOf(call, 'failed').error).toMatchObject({ code: 'CF_PROVIDER_LOST' });
    });

    test.skipIf(without.includes('watch'))('has failed when it owes an answer and says nothing', async () => {
      ai.faults.stall = true;
      const call = await connected();
      await call.say(800, 0.3);
      await call.say(1000, 0);
      for (let i = 0; i < 3; i += 1) {
        call.pass(6000);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(oneOf(call, 'failed').error).toMatchObject({ code: 'CF_PROVIDER_TIMEOUT' });
    });

    test('is closed in bounded time, also when it does not answer any more', async () => {
      const call = await connected();
      ai.last.freeze();
      const closing = call.session.close();
      call.pass(1000);
      await closing;
      expect(call.timers).toBe(0);
    });
  });

  return { ai: () => ai, connected, options };
}
