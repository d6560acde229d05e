import { describe, expect, test } from 'vitest';
import { eventId } from './event-id.ts';

const CALL = 'pbx-a.1763701200_12';
const event = {
  type: 'ChannelDtmfReceived',
  timestamp: '2026-11-21T05:45:41.123+0000',
  digit: '4',
  channel: { id: '1763701200.12' },
  asterisk_id: '02:00:00:00:3e:81',
};

describe("an event's id", () => {
  test('is the same through whichever application it was seen', () => {
    const id = eventId(CALL, event);
    expect(eventId(CALL, { ...event, application: 'callfleet-1' })).toBe(id);
    expect(eventId(CALL, { ...event, application: 'mirror' })).toBe(id);
    expect(eventId(CALL, { ...event, application: 'a "quoted" one' })).toBe(id);
  });

  test('is the same wherever the application stands in it, and whatever else has that name', () => {
    const inside = { ...event, userevent: { application: 'callfleet-1' } };
    const id = eventId(CALL, inside);
    expect(eventId(CALL, { application: 'callfleet-1', ...inside })).toBe(id);
    expect(eventId(CALL, { ...inside, application: 'callfleet-1' })).toBe(id);
    expect(eventId(CALL, { ...inside, application: 'mirror' })).toBe(id);
  });

  test('is another for another event, and for another call', () => {
    const id = eventId(CALL, event);
    expect(eventId(CALL, { ...event, digit: '5' })).not.toBe(id);
    expect(eventId('pbx-a.1763701200_13', event)).not.toBe(id);
  });
});
