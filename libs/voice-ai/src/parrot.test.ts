import { dbfsOf, toPcm } from '@callfleet/media';
import { expect, test } from 'vitest';
import { parrot } from './parrot.ts';
import { SimulatedCall } from './simulated-call.ts';

async function parrotCall(options: Record<string, unknown> = {}) {
  const call = new SimulatedCall('ulaw');
  await call.connect(parrot(options));
  return call;
}

/** When, in ms, the bot was heard: first and last frame that is not silent. */
function heardAt(call: SimulatedCall): { from: number; to: number } | undefined {
  const loud = call.played.flatMap((frame, i) => (dbfsOf(toPcm(call.format, frame)) > -60 ? [i * 20] : []));
  const [from, to] = [loud[0], loud.at(-1)];
  return from === undefined || to === undefined ? undefined : { from, to: to + 20 };
}

test('the caller is let finish, then hears what was said, without the silence after it', async () => {
  const call = await parrotCall();
  call.say(1000, 0);
  call.say(2000, 0.3);
  call.say(4000, 0);
  // Silence of 600 ms has passed when it begins, with the 160 ms that were heard before speech was noticed.
  expect(heardAt(call)).toEqual({ from: 3760, to: 5760 });
  expect(call.events).toEqual([
    { type: 'speech-started', atMs: 1000 },
    { type: 'speech-stopped', atMs: 3000 },
    { type: 'turn', role: 'caller', text: '(2000 ms of speech)', startMs: 1000, endMs: 3000 },
  ]);
});

test('a pause between words does not end a turn; a shorter silence does when asked for', async () => {
  for (const [silenceMs, turns] of [
    [600, 1],
    [200, 2],
  ] as const) {
    const call = await parrotCall({ silenceMs });
    call.say(400, 0.3);
    call.say(300, 0);
    call.say(400, 0.3);
    call.say(1000, 0);
    expect(call.events.filter(({ type }) => type === 'turn')).toHaveLength(turns);
  }
});

test('a caller who interrupts silences it at once', async () => {
  const call = await parrotCall();
  call.say(3000, 0.3);
  call.say(1000, 0);
  expect(call.queuedMs).toBeGreaterThan(1500);
  call.say(200, 0.3);
  const unplayed = call.queuedMs;
  expect(unplayed).toBe(0);
  const interrupted = call.events.find(({ type }) => type === 'interrupted');
  expect(interrupted).toMatchObject({ type: 'interrupted', atMs: 4060 });
  expect(interrupted && 'unplayedMs' in interrupted && interrupted.unplayedMs + call.playedMs).toBe(3000);
});

test('no audio at all is silence too', async () => {
  const call = await parrotCall();
  call.say(1000, 0.3);
  call.say(2000, undefined);
  expect(heardAt(call)).toEqual({ from: 1580, to: 2580 });
  expect(call.events.at(-1)).toMatchObject({ type: 'turn', startMs: 0, endMs: 1000 });
});

test('somebody who never stops is said back in parts, so that memory is bounded', async () => {
  const call = await parrotCall({ maxUtteranceMs: 2000 });
  call.say(6500, 0.3);
  expect(call.events.filter(({ type }) => type === 'turn')).toHaveLength(3);
  expect(call.playedMs).toBeGreaterThan(4000);
});

test('silence and line noise are not answered', async () => {
  const call = await parrotCall();
  call.say(5000, 0.002);
  expect(call.events).toEqual([]);
  expect(call.playedMs).toBe(0);
});

test('wrong options are named', () => {
  expect(() => parrot({ silenceMs: 5 })).toThrow(/silenceMs: .*accepted: silenceMs, thresholdDbfs, maxUtteranceMs/);
});
