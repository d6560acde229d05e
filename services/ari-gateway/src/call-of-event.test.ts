import { describe, expect, test } from 'vitest';
import { callOfEvent } from './call-of-event.ts';
import { eventId } from './event-id.ts';

const CALL = 'pbx-a.1763701200_12';
const of = (event: { type: string; [field: string]: unknown }) => callOfEvent('pbx-a', event);

describe('an event finds its call', () => {
  test('by the channel that came from outside', () => {
    expect(of({ type: 'ChannelStateChange', channel: { id: '1763701200.12' } })).toBe(CALL);
  });

  test('by the id of a leg', () => {
    expect(of({ type: 'StasisStart', channel: { id: `${CALL}~media1` } })).toBe(CALL);
  });

  test('by the bridge, where the channel is a leg and where it is the caller', () => {
    const bridge = { id: `${CALL}~bridge1` };
    expect(of({ type: 'ChannelEnteredBridge', bridge, channel: { id: `${CALL}~media1` } })).toBe(CALL);
    expect(of({ type: 'ChannelEnteredBridge', bridge, channel: { id: '1763701200.12' } })).toBe(CALL);
    expect(of({ type: 'BridgeDestroyed', bridge })).toBe(CALL);
  });

  test('by a playback, which names its channel only in a URI', () => {
    const playback = { id: `${CALL}~playback1`, target_uri: 'channel:1763701200.12' };
    expect(of({ type: 'PlaybackFinished', playback })).toBe(CALL);
    expect(of({ type: 'PlaybackFinished', playback: { ...playback, id: 'foreign' } })).toBe(CALL);
  });

  test('or has none', () => {
    expect(of({ type: 'DeviceStateChanged', device_state: { name: 'PJSIP/x' } })).toBeUndefined();
  });
});

test('an event has one id, through whichever application it was seen', () => {
  const event = { type: 'ChannelDtmfReceived', digit: '1', timestamp: '2026-11-21T05:45:41.123+0000' };
  expect(eventId('pbx-a', { ...event, application: 'x' })).toBe(eventId('pbx-a', { ...event, application: 'y' }));
  expect(eventId('pbx-a', event)).not.toBe(eventId('pbx-b', event));
  expect(eventId('pbx-a', event)).not.toBe(eventId('pbx-a', { ...event, digit: '2' }));
});
