import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idsOfEvent } from './event-ids.ts';
import { ARI_EVENT_TYPES } from './generated/events.gen.ts';

const none = { channels: [], bridges: [], playbacks: [], recordings: [] };
const channel = (id: string) => ({ id, name: `Local/${id}`, state: 'Up' });
const bridge = (id: string, ...channels: string[]) => ({ id, technology: 'simple_bridge', channels });

describe('an event of a channel', () => {
  test.each(['ChannelCreated', 'ChannelDestroyed', 'ChannelDtmfReceived', 'ChannelVarset', 'StasisEnd', 'CallClaimed'])(
    '%s has that channel',
    (type) => {
      expect(idsOfEvent({ type, channel: channel('c1') })).toEqual({ ...none, channels: ['c1'] });
    },
  );

  test('StasisStart has the channel before the one that it replaces', () => {
    const event = { type: 'StasisStart', args: [], replace_channel: channel('old'), channel: channel('new') };
    expect(idsOfEvent(event)).toEqual({ ...none, channels: ['new', 'old'] });
  });

  test('Dial has the dialled channel before the caller and the forwarded', () => {
    const event = { type: 'Dial', caller: channel('a'), peer: channel('b'), forwarded: channel('c'), dialstatus: '' };
    expect(idsOfEvent(event)).toEqual({ ...none, channels: ['b', 'a', 'c'] });
  });

  test('a global ChannelVarset has none', () => {
    expect(idsOfEvent({ type: 'ChannelVarset', variable: 'A', value: '1' })).toEqual(none);
  });

  test('ChannelUserevent may have a bridge, and an endpoint with channels', () => {
    const endpoint = { technology: 'PJSIP', resource: 'x', channel_ids: ['c1', 'c3'] };
    const event = { type: 'ChannelUserevent', channel: channel('c1'), bridge: bridge('b1', 'c2'), endpoint };
    expect(idsOfEvent(event)).toEqual({ ...none, channels: ['c1', 'c2', 'c3'], bridges: ['b1'] });
  });

  test('ChannelTransfer has the transferer first, then all that it refers to', () => {
    const event = {
      type: 'ChannelTransfer',
      refer_to: { destination_channel: channel('dest'), connected_channel: channel('peer2'), bridge: bridge('b2') },
      referred_by: { source_channel: channel('src'), connected_channel: channel('peer1'), bridge: bridge('b1') },
    };
    expect(idsOfEvent(event)).toEqual({
      ...none,
      channels: ['src', 'dest', 'peer2', 'peer1'],
      bridges: ['b2', 'b1'],
    });
  });
});

describe('an event of a bridge', () => {
  test.each(['BridgeCreated', 'BridgeDestroyed'])('%s has the bridge and its members', (type) => {
    const event = { type, bridge: { ...bridge('b1', 'c1', 'c2'), video_source_id: 'c3' } };
    expect(idsOfEvent(event)).toEqual({ ...none, channels: ['c1', 'c2', 'c3'], bridges: ['b1'] });
  });

  test.each(['ChannelEnteredBridge', 'ChannelLeftBridge'])('%s has its channel before the other members', (type) => {
    const event = { type, bridge: bridge('b1', 'c0', 'c1'), channel: channel('c1') };
    expect(idsOfEvent(event)).toEqual({ ...none, channels: ['c1', 'c0'], bridges: ['b1'] });
  });

  test('BridgeMerged has the bridge that stays first', () => {
    const event = { type: 'BridgeMerged', bridge_from: bridge('gone'), bridge: bridge('stays', 'c1') };
    expect(idsOfEvent(event)).toEqual({ ...none, channels: ['c1'], bridges: ['stays', 'gone'] });
  });

  test('BridgeVideoSourceChanged has the source before it', () => {
    const event = { type: 'BridgeVideoSourceChanged', bridge: bridge('b1'), old_video_source_id: 'c9' };
    expect(idsOfEvent(event)).toEqual({ ...none, channels: ['c9'], bridges: ['b1'] });
  });
});

describe('a transfer', () => {
  test('BridgeBlindTransfer', () => {
    const event = {
      type: 'BridgeBlindTransfer',
      bridge: bridge('b1', 'a', 'b'),
      transferee: channel('b'),
      replace_channel: channel('r'),
      channel: channel('a'),
    };
    expect(idsOfEvent(event)).toEqual({ ...none, channels: ['a', 'r', 'b'], bridges: ['b1'] });
  });

  test('BridgeAttendedTransfer, with the bridge that it names by its id alone', () => {
    const event = {
      type: 'BridgeAttendedTransfer',
      transferer_first_leg: channel('t1'),
      transferer_second_leg: channel('t2'),
      transferee: channel('x'),
      transferer_first_leg_bridge: bridge('b1', 't1', 'x'),
      destination_bridge: 'b2',
    };
    expect(idsOfEvent(event)).toEqual({ ...none, channels: ['t1', 't2', 'x'], bridges: ['b1', 'b2'] });
  });
});

describe('an event of a playback or recording', () => {
  test.each(['PlaybackStarted', 'PlaybackContinuing', 'PlaybackFinished'])('%s on a channel has both', (type) => {
    const event = { type, playback: { id: 'pbx.1~playback1', target_uri: 'channel:1763.2:x' } };
    expect(idsOfEvent(event)).toEqual({ ...none, playbacks: ['pbx.1~playback1'], channels: ['1763.2:x'] });
  });

  test.each(['RecordingStarted', 'RecordingFinished', 'RecordingFailed'])('%s of a bridge has both', (type) => {
    const event = { type, recording: { name: 'r1', target_uri: 'bridge:b1' } };
    expect(idsOfEvent(event)).toEqual({ ...none, recordings: ['r1'], bridges: ['b1'] });
  });
});

test('an event of an endpoint has its channels', () => {
  const endpoint = { technology: 'PJSIP', resource: 'x', channel_ids: ['c1', 'c2'] };
  expect(idsOfEvent({ type: 'EndpointStateChange', endpoint })).toEqual({ ...none, channels: ['c1', 'c2'] });
});

test.each(['ApplicationReplaced', 'DeviceStateChanged', 'RESTResponse'])('%s has none', (type) => {
  expect(idsOfEvent({ type, device_state: { name: 'x', state: 'BUSY' } })).toEqual(none);
});

test('an event of an unknown type is read by the usual names', () => {
  const event = { type: 'FromTheFuture', channel: channel('c1'), playback: { id: 'p1', target_uri: 'bridge:b1' } };
  expect(idsOfEvent(event)).toEqual({ ...none, channels: ['c1'], playbacks: ['p1'], bridges: ['b1'] });
});

test('an event of any shape is read without harm, each id once', () => {
  const type = fc.oneof(fc.constantFrom(...ARI_EVENT_TYPES, 'constructor', '__proto__'), fc.string());
  const id = fc.constantFrom('c1', 'c2', '', null, 7);
  const model = fc.oneof(
    fc.anything(),
    fc.record({
      id,
      name: id,
      channels: fc.array(id),
      channel_ids: id,
      target_uri: fc.constantFrom('channel:c1', 'x'),
    }),
  );
  const fields = fc.dictionary(
    fc.constantFrom('channel', 'bridge', 'playback', 'recording', 'peer', 'endpoint', 'refer_to', 'referred_by'),
    model,
  );
  fc.assert(
    fc.property(type, fields, (eventType, rest) => {
      for (const ids of Object.values(idsOfEvent({ ...rest, type: eventType }))) {
        expect(ids).not.toContain('');
        expect(new Set(ids).size).toBe(ids.length);
      }
    }),
  );
});
