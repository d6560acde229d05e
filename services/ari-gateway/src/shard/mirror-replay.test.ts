import type { CallEvent, EventOutbox } from '@callfleet/bus';
import type { CallId } from '@callfleet/identity';
import { expect, test } from 'vitest';
import { EventPublisher } from '../calls/event-publisher.ts';
import { LiveCalls } from '../calls/live-call.ts';
import { ChannelIndex, type IncomingEvent } from '../events/channel-index.ts';
import { eventId } from '../events/event-id.ts';
import { MirrorReplay } from './mirror-replay.ts';

const CALL = 'pbx-a.1763701200_1' as CallId;

const pressed = (digit: string, channelId = '1763701200.1') => ({
  type: 'ChannelDtmfReceived',
  digit,
  timestamp: `2026-11-21T05:45:4${digit}.000+0000`,
  application: 'one.mirror',
  channel: { id: channelId, name: 'PJSIP/a', state: 'Up', dialplan: { app_name: 'Stasis', app_data: 'one' } },
});

/** As the gateway that has died had published it. */
const stored = (event: Record<string, unknown>) =>
  ({ id: eventId(CALL, { ...event, application: 'one' }), call: CALL, source: 'gateway-1' }) as CallEvent;

function replay(seen: Record<string, unknown>[]) {
  const published: CallEvent[] = [];
  const calls = new LiveCalls();
  const index = new ChannelIndex('pbx-a', 'one');
  const outbox = { publish: (event: CallEvent) => void published.push(event) } as unknown as EventOutbox;
  const publisher = new EventPublisher(index, 'gateway-2', calls, outbox);
  const events = {
    attend: () => {},
    tell: (event: IncomingEvent, call: ReturnType<LiveCalls['get']>) => publisher.publish(call, event),
  };
  const replay = new MirrorReplay({ index, calls, events }, seen as unknown as IncomingEvent[]);
  return { replay, published, calls };
}

test('what the stream has is left out, and the numbers of the rest have no gap', () => {
  const { replay: one, published } = replay([pressed('1'), pressed('2'), pressed('3'), pressed('4')]);
  expect([...one.calls]).toEqual([CALL]);
  const told = one.tell([{ call: CALL, events: [stored(pressed('1')), stored(pressed('3'))] }]);
  expect(published.map(({ seq, data }) => [seq, data.digit])).toEqual([
    [1, '2'],
    [2, '4'],
  ]);
  expect(told).toEqual(published);
});

test('a call of which the stream has everything is not learnt anew', () => {
  const { replay: one, calls } = replay([pressed('1')]);
  one.tell([{ call: CALL, events: [stored(pressed('1'))] }]);
  expect(calls.live).toBe(0);
});
