import { describe, expect, test, vi } from 'vitest';
import { askAndBeAnswered, countOf, type LocalAi, oneOf } from './local-ai.ts';
import type { LocalCall } from './local-call.ts';
import { providerNamed } from './providers.ts';

interface InterruptibleAi {
  readonly name: string;
  ai(): Pick<LocalAi, 'answers' | 'faults'>;
  connected(more?: Record<string, unknown>): Promise<LocalCall>;
  readonly options: Record<string, unknown>;
  /** It tells what the caller says while he is still speaking. */
  readonly tellsWords: boolean;
  /** Its protocol can tell it texts. */
  readonly takesTexts: boolean;
}

/** What every AI must do when its caller interrupts it, and what not. */
export function describeBargeIn({ name, ai, connected, options, takesTexts, tellsWords }: InterruptibleAi): void {
  describe(`${name}, interrupted`, () => {
    test('is silent within the tick in which the caller interrupts, and what comes late is not played', async () => {
      ai().answers.push({ ms: 3000, unfinished: true });
      ai().faults.latePieces = 3;
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
      ai().answers.push({ ms: 3000 });
      const call = await connected({ bargeIn: { enabled: false } });
      await askAndBeAnswered(call, 'voice');
      await call.say(1000, 'voice');
      await call.say(2500, 0);
      expect(countOf(call, 'interrupted')).toBe(0);
      expect(call.playedMs).toBeGreaterThanOrEqual(3000);
    });

    test.runIf(takesTexts)('is cut by keys, though the caller may not interrupt it by his voice', async () => {
      ai().answers.push({ ms: 3000 });
      const call = await connected({ bargeIn: { enabled: false } });
      await askAndBeAnswered(call, 'voice');
      await call.say(400, 0);
      for (const key of '12#') call.session.digit(key);
      expect(call.queuedMs).toBe(0);
      expect(countOf(call, 'interrupted')).toBe(1);
    });

    test('is not interrupted while the beginning of its answer is protected, and is afterwards', async () => {
      ai().answers.push({ ms: 4000 });
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
      ai().answers.push({ ms: 5000 });
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
      ai().answers.push({ ms: 3000 }, { ms: 5000 });
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
      ai().answers.push({ ms: 3000 });
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
      ai().answers.push({ ms: 4000 }, { ms: 500 });
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

    test.runIf(tellsWords)('is not cut by fewer words than are needed, and is by so many', async () => {
      ai().answers.push({ ms: 6000 });
      const call = await connected({ bargeIn: { minWords: 4 } });
      await askAndBeAnswered(call, 'voice');
      await call.say(1400, 0);
      // The local AI makes a word of 200 ms, the silence that ends them included.
      await call.say(300, 'voice');
      await call.say(1400, 0);
      expect(countOf(call, 'interrupted')).toBe(0);
      expect(call.queuedMs).toBeGreaterThan(0);
      await call.say(1000, 'voice');
      await vi.waitFor(() => expect(countOf(call, 'interrupted')).toBe(1));
      expect(call.queuedMs).toBe(0);
    });

    test.runIf(tellsWords)('cut by words, says no more of its answer, and then the next one', async () => {
      ai().answers.push({ ms: 6000, unfinished: true }, { ms: 700 });
      ai().faults.latePieces = 3;
      const call = await connected({ bargeIn: { minWords: 4 } });
      await askAndBeAnswered(call, 'voice');
      await call.say(1400, 0);
      await call.say(1000, 'voice');
      await vi.waitFor(() => expect(countOf(call, 'interrupted')).toBe(1));
      const heardMs = call.playedMs;
      await call.say(2500, 0);
      expect(call.playedMs).toBe(heardMs + 700);
      expect(countOf(call, 'interrupted')).toBe(1);
    });

    test.runIf(!tellsWords)('does not take a number of words that it could not keep to', () => {
      const given = { ...options, bargeIn: { minWords: 2 } };
      expect(() => providerNamed(name, given)).toThrow('bargeIn.minWords: needs an AI that tells what the caller says');
    });

    test.each([
      [{ enabled: false, protectMs: 500 }, 'what is not enabled takes no more settings'],
      [{ minSpeechMs: 500, resumeAfterMs: 400 }, 'bargeIn.resumeAfterMs: must be above minSpeechMs'],
      [{ protectMs: -1 }, 'bargeIn.protectMs'],
    ])('does not take settings that contradict each other: %j', (bargeIn, message) => {
      expect(() => providerNamed(name, { ...options, bargeIn })).toThrow(message);
    });
  });
}
