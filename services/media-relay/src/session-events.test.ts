import { type CallEvent, callEventSchema, mediaEventSchemas } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { expect, test } from 'vitest';
import type { SessionEvent } from './media-session.ts';
import { sessionEvents } from './session-events.ts';

const call = callIdOf('pbx-a', '1763701200.12');
const stats = {
  provider: 'echo',
  transport: 'rtp',
  talkMs: 0,
  heard: { packets: 0, ms: 0, peakDbfs: -96, speechMs: 0, lost: 0 },
  spoke: { packets: 0, ms: 0 },
  usage: {},
} as const;

function tell(...events: SessionEvent[]): CallEvent[] {
  const published: CallEvent[] = [];
  const session = `${call}~media1`;
  const publish = sessionEvents({ relay: 'relay-1', call, session, publish: (event) => published.push(event) });
  for (const event of events) publish(event);
  return published;
}

test('events are numbered and named, and each has what its schema asks for', () => {
  const [started, turn, ended] = tell(
    { type: 'started', provider: 'echo' },
    { type: 'turn', role: 'bot', text: 'hello', startMs: 0, endMs: 900 },
    { type: 'ended', reason: 'media-lost', detail: 'closed', stats },
  );
  for (const [i, event] of [started, turn, ended].entries()) {
    expect(callEventSchema.parse(event)).toEqual(event);
    expect(event).toMatchObject({ call, seq: i + 1 });
  }
  expect(new Set([started?.id, turn?.id, ended?.id]).size).toBe(3);
  expect(started?.type).toBe('media.started');
  expect(mediaEventSchemas.started.parse(started?.data)).toEqual(started?.data);
  expect(mediaEventSchemas.turn.parse(turn?.data)).toEqual(turn?.data);
  expect(mediaEventSchemas.ended.parse(ended?.data)).toEqual(ended?.data);
});

test('what a provider tells else is told as it is, with its session', () => {
  const [event] = tell({ type: 'interrupted', atMs: 1200, unplayedMs: 300 });
  expect(event).toMatchObject({
    type: 'media.interrupted',
    data: { session: `${call}~media1`, atMs: 1200, unplayedMs: 300 },
  });
});
