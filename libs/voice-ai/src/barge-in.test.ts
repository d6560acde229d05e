import { EnergyVad, FRAME_MS, formatNamed, fromPcm, PlayoutBuffer, tone } from '@callfleet/media';
import { SimulatedTime } from '@callfleet/media/testing';
import { expect, test } from 'vitest';
import { BargeInGate, bargeIn, isGated } from './barge-in.ts';
import { HeldPlayout } from './held-playout.ts';

const ulaw = formatNamed('ulaw');
const SILENCE = 0xff;
const loud = fromPcm(ulaw, tone({ hz: 400, ms: FRAME_MS, sampleRate: 8000, level: 0.5 }));
const hum = new Uint8Array(ulaw.frameBytes).fill(0x7f);

function gated(settings: Record<string, unknown>) {
  const time = new SimulatedTime();
  const buffer = new PlayoutBuffer(ulaw);
  const playout = new HeldPlayout(ulaw, {
    play: (chunk: Uint8Array) => buffer.push(chunk),
    flush: () => buffer.flush(),
    get queuedMs() {
      return buffer.queuedMs;
    },
    get playedMs() {
      return buffer.playedMs;
    },
  });
  /** What the AI heard of each frame, and when the caller said it. */
  const toAi: Array<{ readonly what: 'voice' | 'hum' | 'silence'; readonly atMs: number }> = [];
  const ear = new EnergyVad({ sampleRate: 8000, hangoverMs: 400 });
  const gate = new BargeInGate(bargeIn.parse(settings), ulaw, time, playout, ear, (frame, atMs) =>
    toAi.push({ what: frame === loud ? 'voice' : frame[0] === SILENCE ? 'silence' : 'hum', atMs }),
  );
  const played: number[] = [];
  const hear = (ms: number, sound: Uint8Array) => {
    for (let at = 0; at < ms; at += FRAME_MS) {
      time.pass(FRAME_MS);
      const frame = new Uint8Array(ulaw.frameBytes);
      buffer.takeInto(frame);
      if (frame[0] !== SILENCE) played.push(frame[0] as number);
      gate.hear(sound);
    }
  };
  const answer = (name: string, ms: number) => {
    gate.onAudio(name);
    for (let at = 0; at < ms; at += FRAME_MS) playout.play(new Uint8Array(ulaw.frameBytes).fill(at / FRAME_MS));
  };
  const heardOf = (what: 'voice' | 'hum' | 'silence') => toAi.filter((frame) => frame.what === what).length * FRAME_MS;
  return { time, gate, playout, toAi, played, hear, answer, heardOf };
}

test('an AI hears all at once while the bot is silent', () => {
  const { toAi, hear } = gated({ minSpeechMs: 500 });
  hear(100, hum);
  hear(200, loud);
  expect(toAi.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 15 }, (_, i) => (i + 1) * FRAME_MS));
});

test('speech that is too short is silence to the AI, of the same length', () => {
  const { hear, answer, heardOf, toAi } = gated({ minSpeechMs: 500 });
  answer('a', 5000);
  hear(200, hum);
  hear(300, loud);
  hear(1000, hum);
  expect(heardOf('voice')).toBe(0);
  expect(heardOf('silence')).toBeGreaterThanOrEqual(300);
  // All but what is held back.
  expect(toAi).toHaveLength((1500 - 100) / FRAME_MS);
});

test('speech that is long enough comes with its beginning, in order, at the times when it was said', () => {
  const { hear, answer, heardOf, toAi } = gated({ minSpeechMs: 500 });
  answer('a', 5000);
  hear(200, hum);
  hear(480, loud);
  expect(heardOf('voice')).toBe(0);
  hear(120, loud);
  expect(heardOf('voice')).toBe(600);
  expect(toAi.map(({ atMs }) => atMs)).toEqual(toAi.map((_, i) => (i + 1) * FRAME_MS));
});

test('what the caller said before the bot began to speak does not count', () => {
  const { hear, answer, heardOf } = gated({ minSpeechMs: 300 });
  hear(400, loud);
  hear(100, hum);
  answer('a', 5000);
  hear(200, loud);
  hear(1000, hum);
  expect(heardOf('voice')).toBe(400);
});

test('a caller who still speaks when the bot has finished is heard from his beginning, but for what is ten seconds old', () => {
  const short = gated({ enabled: false });
  short.answer('a', 1000);
  short.hear(400, hum);
  short.hear(800, loud);
  expect(short.heardOf('voice')).toBe(800);

  const long = gated({ enabled: false });
  long.answer('a', 15_000);
  long.hear(14_000, loud);
  expect(long.heardOf('voice')).toBe(0);
  long.hear(2000, loud);
  expect(long.heardOf('voice')).toBeLessThanOrEqual(12_000);
  expect(long.heardOf('voice') + long.heardOf('silence')).toBe(16_000);
});

test('each answer is protected, by what was heard of it', () => {
  const { hear, answer, heardOf } = gated({ protectMs: 1000 });
  answer('a', 2000);
  answer('b', 2000);
  hear(1100, hum);
  hear(200, loud);
  expect(heardOf('voice')).toBe(200);
  hear(1000, hum);
  hear(300, loud);
  hear(800, hum);
  expect(heardOf('voice'), 'the first second of the second answer').toBe(200);
  hear(200, loud);
  expect(heardOf('voice')).toBe(400);
});

test('a bot that was stopped goes on with each sound that was not heard, and what came meanwhile', () => {
  const { hear, answer, playout, played } = gated({ resumeAfterMs: 500 });
  answer('a', 1000);
  hear(200, hum);
  hear(200, loud);
  expect(playout.isHeld).toBe(true);
  answer('a', 200);
  const soFar = played.length;
  hear(300, hum);
  expect(played).toHaveLength(soFar);
  hear(2000, hum);
  const frames = (count: number) => Array.from({ length: count }, (_, i) => i);
  expect(played).toEqual([...frames(50), ...frames(10)]);
});

test('a bot that was stopped goes on when its AI does not take for speech what the caller said', () => {
  const { hear, answer, playout, played } = gated({ resumeAfterMs: 500 });
  answer('a', 1000);
  hear(800, loud);
  expect(playout.isHeld).toBe(true);
  hear(1600, hum);
  expect(played).toHaveLength(50);
});

test('a caller whose line sends nothing while he is silent is done too', () => {
  const { hear, answer, playout, time } = gated({ resumeAfterMs: 500 });
  answer('a', 1000);
  hear(200, loud);
  expect(playout.isHeld).toBe(true);
  time.pass(1000);
  expect(playout.isHeld).toBe(false);
});

test('what is stopped is known by its length, and forgotten when it is cut', () => {
  const { hear, answer, playout, played, gate, time } = gated({ resumeAfterMs: 500, coolDownMs: 1000 });
  answer('a', 1000);
  hear(200, loud);
  const heardMs = playout.playedMs;
  expect(playout.queuedMs).toBe(1000 - heardMs);
  const unplayedMs = playout.flush();
  expect(unplayedMs).toBe(1000 - heardMs);
  gate.onCut(unplayedMs);
  hear(1000, hum);
  expect(played).toHaveLength(heardMs / FRAME_MS);
  gate.close();
  expect(time.timers).toBe(0);
});

test('nobody stands between caller and AI where nothing is set', () => {
  expect(isGated(bargeIn.parse({}), false)).toBe(false);
  expect(isGated(bargeIn.parse({ enabled: false }), true)).toBe(false);
  expect(isGated(bargeIn.parse({ enabled: false }), false)).toBe(true);
  expect(isGated(bargeIn.parse({ coolDownMs: 1 }), true)).toBe(true);
});
