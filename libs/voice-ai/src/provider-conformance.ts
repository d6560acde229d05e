import { dbfsOf, type FormatName, toPcm } from '@callfleet/media';
import { describe, expect, test } from 'vitest';
import { providerNamed } from './providers.ts';
import { SimulatedCall } from './simulated-call.ts';

const formats: FormatName[] = ['ulaw', 'alaw', 'slin16'];

export interface ProviderUnderTest {
  /** Options that it takes; what is known when the tests run may be in it. */
  readonly options: Record<string, unknown>;
  /** Default: a call that waits for nobody. */
  readonly newCall?: (format: FormatName) => SimulatedCall;
}

/** What every provider must do, whatever AI is behind it. */
export function describeProvider(
  name: string,
  { options, newCall = (format) => new SimulatedCall(format) }: ProviderUnderTest,
): void {
  const connected = async (format: FormatName = 'ulaw') => {
    const call = newCall(format);
    await call.connect(providerNamed(name, options));
    return call;
  };

  describe(`provider ${name}`, () => {
    test('is found by its name', () => {
      expect(providerNamed(name, options).name).toBe(name);
    });

    test('refuses options that it does not know, and says which it knows', () => {
      expect(() => providerNamed(name, { ...options, colour: 'blue' })).toThrow(
        expect.objectContaining({ code: 'CF_PROVIDER_OPTIONS', provider: name }),
      );
      expect(() => providerNamed(name, { ...options, colour: 'blue' })).toThrow(/"colour".*accepted: /);
      expect(() => providerNamed(name, 'loud')).toThrow(expect.objectContaining({ code: 'CF_PROVIDER_OPTIONS' }));
    });

    test.each(formats)('answers a caller, in the format of the leg: %s', async (format) => {
      const call = await connected(format);
      await call.say(1000, 0.3);
      await call.say(3000, 0);
      const loudest = Math.max(...call.played.map((frame) => dbfsOf(toPcm(call.format, frame))));
      expect(loudest).toBeGreaterThan(-30);
      expect(call.events.filter(({ type }) => type === 'failed')).toEqual([]);
    });

    test('tells times on the clock of the call, in order', async () => {
      const call = await connected();
      await call.say(500, 0);
      await call.say(1000, 0.3);
      await call.say(1000, 0);
      for (const event of call.events)
        if (event.type === 'turn') {
          expect(event.startMs).toBeLessThan(event.endMs);
          expect(event.endMs).toBeLessThanOrEqual(call.now);
        } else if ('atMs' in event) expect(event.atMs).toBeGreaterThan(400);
    });

    test('says what it has used in numbers that can be summed up, if it says so', async () => {
      const call = await connected();
      await call.say(1000, 0.3);
      await call.say(3000, 0);
      for (const event of call.events)
        if (event.type === 'usage')
          for (const amount of Object.values(event.usage))
            expect(amount).toSatisfy((n) => Number.isFinite(n) && n >= 0);
    });

    test('takes digits, answers to tools and odd pieces of audio without failing', async () => {
      const call = await connected();
      call.session.digit('5');
      call.session.toolResult('unknown', '{}');
      for (const length of [0, 1, 33, 4000]) call.session.hear(new Uint8Array(length).fill(0xff));
      expect(call.events).toEqual([]);
    });

    test('is silent after it was closed, however often', async () => {
      const call = await connected();
      await call.say(400, 0.3);
      await call.session.close();
      await call.session.close();
      const told = call.events.length;
      const { playedMs, queuedMs } = call;
      await call.say(2000, undefined);
      call.session.hear(new Uint8Array(160));
      expect(call.events).toHaveLength(told);
      expect(call.playedMs).toBe(playedMs + queuedMs);
    });

    test('does not begin when the call is over already', async () => {
      const call = newCall('ulaw');
      call.hangup.abort(new Error('hung up'));
      await expect(call.connect(providerNamed(name, options))).rejects.toThrow('hung up');
    });

    test('serves several calls at once, each with its own audio', async () => {
      const provider = providerNamed(name, options);
      const [loud, silent] = [newCall('ulaw'), newCall('ulaw')];
      await Promise.all([loud.connect(provider), silent.connect(provider)]);
      for (let i = 0; i < 60; i += 1) {
        await loud.say(20, 0.3);
        await silent.say(20, 0);
      }
      expect(Math.max(...silent.played.map((frame) => dbfsOf(toPcm(silent.format, frame))))).toBeLessThan(-60);
    });
  });
}
