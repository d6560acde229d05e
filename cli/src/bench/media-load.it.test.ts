import { expect, test } from 'vitest';
import { measureWithAi } from './media-bench.ts';
import { measureMediaLoad } from './media-load.ts';
import { soakRelay } from './soak-load.ts';

const echo = () => ({ name: 'echo', options: {} });

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

test('calls end and begin anew through a relay of two threads, and leave nothing open', async () => {
  const soak = await soakRelay({
    ...{ transport: 'rtp', provider: echo, calls: 10, threads: 2, forMs: 6000 },
    ...{ renewed: 4, renewEveryMs: 200, sampleEveryMs: 2500, listenMs: 500 },
  });
  expect(soak.calls).toBeGreaterThanOrEqual(18);
  expect(soak.inVain).toBeGreaterThanOrEqual(2);
  expect(soak.samples.at(-1)?.open.udp).toBeGreaterThanOrEqual(20);
  expect(soak.samples.at(-1)?.heapBytes).toBeGreaterThan(2 ** 20);
  expect(soak.samples.at(-1)?.residentBytes).toBeGreaterThan(2 ** 20);
  expect(soak.after.open).toMatchObject({ udp: soak.before.open.udp, tcp: soak.before.open.tcp });
  expect(soak.sessionsAfter).toBe(0);
  expect(soak.heard).toMatchObject({ foreign: 0, wrongTone: 0 });
});
