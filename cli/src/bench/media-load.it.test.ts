import { expect, test } from 'vitest';
import { measureWithAi } from './media-bench.ts';
import { measureMediaLoad } from './media-load.ts';

const echo = { name: 'echo', options: () => ({}) };

test.each(['rtp', 'audiosocket', 'websocket'] as const)(
  'callers over %s hear their own echo, each his own',
  async (transport) => {
    const options = { transport, provider: echo, calls: [2, 4], rounds: 1, roundMs: 1000, settleMs: 1000 };
    const { steps, emptyBytes } = await measureMediaLoad(options);
    expect(steps[0]?.calls).toBe(2);
    const { heard, relayCore, residentBytes } = steps.at(-1)?.quietest ?? {};
    expect(heard?.received).toBeGreaterThan(0);
    expect(heard?.echoed).toBeGreaterThan(0);
    expect(heard).toMatchObject({ foreign: 0, wrongTone: 0, lostPackets: 0, repeatedPackets: 0 });
    expect(relayCore).toBeGreaterThan(0);
    expect(residentBytes).toBeGreaterThan(emptyBytes / 2);
  },
);

test('answers of an AI, and interruptions, are timed at the caller', async () => {
  const { steps } = await measureWithAi([4], 1, 6000);
  const { answers, cuts } = steps[0]?.quietest.voice ?? {};
  expect(answers?.length).toBeGreaterThan(0);
  expect(cuts?.length).toBeGreaterThan(0);
  for (const ms of answers ?? []) expect(ms).toBeGreaterThan(0);
});
