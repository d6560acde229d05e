import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dbfsOf, toPcm } from '@callfleet/media';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { VoiceProviderError } from './errors.ts';
import { LocalCall } from './local-call.ts';
import type { VoiceEvent } from './provider.ts';
import { describeProvider } from './provider-conformance.ts';
import { providerNamed } from './providers.ts';

/** One connection of a local AI, as these tests need it. */
interface LocalConnection {
  readonly received: ReadonlyArray<Readonly<Record<string, unknown>>>;
  readonly closed: unknown;
  drop(code?: number): void;
  freeze(): void;
}

/** A local AI, as these tests need it. */
export interface LocalAi<Connection extends LocalConnection = LocalConnection> {
  readonly key: string;
  readonly url: string;
  readonly faults: {
    refuse?: number;
    hang?: boolean;
    mute?: boolean;
    stall?: boolean;
    latePieces?: number;
    format?: unknown;
  };
  /** What it says next. */
  readonly answers: Array<{
    text?: string;
    ms?: number;
    tool?: { name: string; arguments: Record<string, unknown> };
    unfinished?: boolean;
    fails?: string;
  }>;
  readonly connections: readonly Connection[];
  readonly last: Connection;
  /** Nothing goes wrong any more. */
  reset(): void;
  stop(): Promise<void>;
}

export interface AiUnderTest<Ai extends LocalAi> {
  readonly name: string;
  start(): Promise<Ai>;
  /** Options beside `url`, `key` and `keyFile`. */
  readonly options?: Record<string, unknown>;
  /** What this AI's protocol can't say. */
  readonly without?: ReadonlyArray<
    'turns' | 'tools' | 'tool options' | 'texts' | 'usage' | 'ready' | 'watch' | 'key' | 'say'
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

  describe(`${name}, an AI behind a WebSocket`, () => {
    test('is silent within the tick in which the caller interrupts, and what comes late is not played', async () => {
      ai.answers.push({ ms: 3000, unfinished: true });
      ai.faults.latePieces = 3;
      const call = await connected();
      await askAndBeAnswered(call);
      await call.say(600, undefined);
      const { playedMs } = call;
      expect(playedMs).toBeGreaterThan(300);
      await call.say(200, 0.3);
      expect(call.queuedMs).toBe(0);
      const interrupted = call.events.find(({ type }) => type === 'interrupted');
      expect(interrupted).toMatchObject({ unplayedMs: expect.closeTo(3000 - playedMs, -3) });
      const heardMs = call.playedMs;
      await call.say(600, 0.3);
      expect(call.playedMs).toBe(heardMs);
      await call.say(1200, 0);
      // The next answer is heard: a bot that stays silent after an interruption is the worst of all.
      await vi.waitFor(() => expect(call.playedMs + call.queuedMs).toBeGreaterThan(heardMs + 900));
    });

    test('goes on when the caller may not interrupt', async () => {
      ai.answers.push({ ms: 3000 });
      const call = await connected({ bargeIn: { enabled: false } });
      await askAndBeAnswered(call, 'voice');
      await call.say(1000, 'voice');
      await call.say(2500, 0);
      expect(countOf(call, 'interrupted')).toBe(0);
      expect(call.playedMs).toBeGreaterThanOrEqual(3000);
    });

    test.skipIf(without.includes('texts'))(
      'is cut by keys, though the caller may not interrupt it by his voice',
      async () => {
        ai.answers.push({ ms: 3000 });
        const call = await connected({ bargeIn: { enabled: false } });
        await askAndBeAnswered(call, 'voice');
        await call.say(400, 0);
        for (const key of '12#') call.session.digit(key);
        expect(call.queuedMs).toBe(0);
        expect(countOf(call, 'interrupted')).toBe(1);
      },
    );

    test('is not interrupted while the beginning of its answer is protected, and is afterwards', async () => {
      ai.answers.push({ ms: 4000 });
      const call = await connected({ bargeIn: { protectMs: 1500 } });
      await askAndBeAnswered(call, 'voice');
      await call.say(600, 'voice');
      await call.say(1200, 0);
      expect(countOf(call, 'interrupted')).toBe(0);
      expect(call.queuedMs).toBeGreaterThan(0);
      await call.say(300, 'voice');
      await vi.waitFor(() => expect(call.queuedMs).toBe(0));
      expect(countOf(call, 'interrupted')).toBe(1);
    });

    test('is not interrupted by a caller who says less than is needed', async () => {
      ai.answers.push({ ms: 5000 });
      const call = await connected({ bargeIn: { minSpeechMs: 500 } });
      await askAndBeAnswered(call, 'voice');
      await call.say(200, 'voice');
      await call.say(1500, 0);
      expect(countOf(call, 'interrupted')).toBe(0);
      await call.say(800, 'voice');
      await vi.waitFor(() => expect(call.queuedMs).toBe(0));
      const speech = call.events.findLast(({ type }) => type === 'speech-started');
      // It is told when the caller began, not when he was let through.
      if (speech?.type === 'speech-started') expect(Math.abs(speech.atMs - (call.now - 800))).toBeLessThan(150);
    });

    test('is not interrupted again so soon', async () => {
      ai.answers.push({ ms: 3000 }, { ms: 5000 });
      const call = await connected({ bargeIn: { coolDownMs: 3000 } });
      await askAndBeAnswered(call, 'voice');
      await call.say(300, 'voice');
      await vi.waitFor(() => expect(countOf(call, 'interrupted')).toBe(1));
      await call.say(700, 0);
      while (call.queuedMs === 0 && call.now < 10_000) await call.say(20, 0);
      await call.say(400, 'voice');
      await call.say(2200, 0);
      expect(countOf(call, 'interrupted')).toBe(1);
      await call.say(400, 'voice');
      await vi.waitFor(() => expect(countOf(call, 'interrupted')).toBe(2));
    });

    test('goes on where it was cut by what was too short to be an interruption', async () => {
      ai.answers.push({ ms: 3000 });
      const call = await connected({ bargeIn: { resumeAfterMs: 700 } });
      await askAndBeAnswered(call, 'voice');
      await call.say(400, 0);
      const before = call.playedMs;
      await call.say(300, 'voice');
      const cutAtMs = call.playedMs;
      expect(cutAtMs - before).toBeLessThan(250);
      await call.say(200, 0);
      expect(call.playedMs).toBe(cutAtMs);
      await call.say(3200, 0);
      expect(call.playedMs).toBe(3000);
      expect(call.events.map(({ type }) => type)).not.toContain('interrupted');
    });

    test('is cut for good by what is long enough', async () => {
      ai.answers.push({ ms: 4000 }, { ms: 500 });
      const call = await connected({ bargeIn: { resumeAfterMs: 500 } });
      await askAndBeAnswered(call, 'voice');
      await call.say(400, 0);
      await call.say(300, 'voice');
      const cutAtMs = call.playedMs;
      expect(cutAtMs).toBeLessThan(1000);
      await call.say(700, 'voice');
      await vi.waitFor(() => expect(countOf(call, 'interrupted')).toBe(1));
      expect(oneOf(call, 'interrupted').unplayedMs).toBeCloseTo(4000 - cutAtMs, -2);
      await call.say(2500, 0);
      expect(call.playedMs).toBe(cutAtMs + 500);
    });

    test.each([
      [{ enabled: false, protectMs: 500 }, 'what is not enabled takes no more settings'],
      [{ minSpeechMs: 500, resumeAfterMs: 400 }, 'bargeIn.resumeAfterMs: must be above minSpeechMs'],
      [{ protectMs: -1 }, 'bargeIn.protectMs'],
    ])('does not take settings that contradict each other: %j', (bargeIn, message) => {
      expect(() => providerNamed(name, { ...options, bargeIn })).toThrow(message);
    });

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

/** The caller speaks, and the answer begins to be played. */
export async function askAndBeAnswered(call: LocalCall, how: number | 'voice' = 0.3): Promise<void> {
  await call.say(800, how);
  await call.say(300, 0);
  while (call.queuedMs === 0 && call.now < 10_000) await call.say(20, 0);
  expect(call.queuedMs).toBeGreaterThan(0);
}

function countOf(call: LocalCall, type: VoiceEvent['type']): number {
  return call.events.filter((event) => event.type === type).length;
}

/** The event of this type, which must be there. */
export function oneOf<Type extends VoiceEvent['type']>(call: LocalCall, type: Type) {
  const event = call.events.find((one) => one.type === type);
  if (!event) throw new Error(`no ${type} among ${call.events.map((one) => one.type).join(', ') || 'no events'}`);
  return event as Extract<VoiceEvent, { type: Type }>;
}
