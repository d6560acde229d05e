import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { IncomingEvent } from '../events/channel-index.ts';
import { HeldEvents } from '../events/held-events.ts';
import { merge, TwoSightings } from './two-sightings.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** As Asterisk tells it to this application, so many milliseconds after it began. */
const event = (type: string, ms: number, application: string) =>
  ({ type, timestamp: new Date(1_800_000_000_000 + ms).toISOString().replace('Z', '+0000'), application }) as never;
const own = (type: string, ms: number) => event(type, ms, 'one') as IncomingEvent;
const seen = (type: string, ms: number) => event(type, ms, 'one.mirror') as IncomingEvent;
const typesOf = (events: readonly IncomingEvent[]) => events.map(({ type }) => type);

/** The moment after a take-over. */
function takeOver(mirrored: IncomingEvent[]) {
  const told: string[] = [];
  const mirror = {
    peek: () => mirrored,
    listen: vi.fn<(onEvent: (one: IncomingEvent) => void) => void>(),
    close: vi.fn(),
  };
  const tell = ({ type }: IncomingEvent) => told.push(type);
  const held: HeldEvents = new HeldEvents(true, (one) => {
    if (!sightings.isRepeat(one)) tell(one);
  });
  const sightings = new TwoSightings(mirror, held, tell);
  const see = async () => {
    const seeing = sightings.seen();
    await vi.advanceTimersByTimeAsync(50);
    return seeing;
  };
  return { told, mirror, held, sightings, see };
}

test('an event that both have seen is one; each has its place by its time', () => {
  const events = merge(
    [own('StasisStart', 5), own('Dtmf2', 20), own('StasisEnd', 40), own('Destroyed', 40)],
    [seen('Dtmf1', 1), seen('Dtmf2', 20), seen('Hangup', 30), seen('Destroyed', 40)],
  );
  expect(typesOf(events)).toEqual(['Dtmf1', 'StasisStart', 'Dtmf2', 'Hangup', 'StasisEnd', 'Destroyed']);
});

test('each of the two keeps its own order, whatever its clock said', () => {
  const events = merge([], [seen('one', 30), seen('two', 10), seen('three', 20)]);
  expect(typesOf(events)).toEqual(['one', 'two', 'three']);
});

test('what comes while the stream is read is told behind what was seen, once', async () => {
  const mirrored = [seen('Dtmf1', 1), seen('Dtmf2', 2)];
  const { told, held, sightings, see } = takeOver(mirrored);
  held.take(own('Dtmf2', 2));
  held.take(own('Dtmf3', 3));
  const first = await see();
  expect(typesOf(first)).toEqual(['Dtmf1', 'Dtmf2', 'Dtmf3']);
  mirrored.push(seen('Dtmf3', 3), seen('Dtmf4', 4));
  held.take(own('Dtmf4', 4));
  expect(told).toEqual([]);
  sightings.letThrough(first);
  expect(told).toEqual(['Dtmf4']);
});

test('for a moment both are listened to, then the mirror is closed', async () => {
  const { told, mirror, held, sightings, see } = takeOver([]);
  sightings.letThrough(await see());
  const [onMirrored] = mirror.listen.mock.calls[0] ?? [];
  onMirrored?.(seen('Dtmf1', 1));
  held.take(own('Dtmf1', 1));
  held.take(own('Dtmf2', 2));
  onMirrored?.(seen('Dtmf2', 2));
  expect(told).toEqual(['Dtmf1', 'Dtmf2']);
  expect(mirror.close).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1000);
  expect(mirror.close).toHaveBeenCalled();
});
