import { expect, test } from 'vitest';
import { joinedLatency, voiceLatency } from './voice-latency.ts';

test('an answer is timed from the AI to the caller, an interruption from the caller to the end of the bot', () => {
  const caller = { botStarted: [1030, 5025], cuts: [{ saidAt: 3000, botLastAt: 3110 }], notCut: 1 };
  const ai = { answeredAt: [1000, 5000], heard: [{ voicedAt: 3002, toldAt: 3064 }] };
  const latency = voiceLatency(caller, ai);
  expect(latency).toEqual({ answers: [30, 25], cuts: [{ ms: 110, vadMs: 62 }], notCut: 1 });
  expect(joinedLatency([latency, latency]).notCut).toBe(2);
});

test('what was noted at one end alone is left out', () => {
  const caller = { botStarted: [900, 9000], cuts: [{ saidAt: 3000, botLastAt: 3110 }], notCut: 0 };
  const ai = { answeredAt: [1000], heard: [{ voicedAt: 100, toldAt: 160 }] };
  expect(voiceLatency(caller, ai)).toEqual({ answers: [], cuts: [], notCut: 0 });
});
