import { readdirSync, readFileSync } from 'node:fs';
import { ARI_EVENT_TYPES, type Bridge, type Channel } from '@callfleet/ari';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChannelIndex, type IncomingEvent } from './channel-index.ts';
import { eventId } from './event-id.ts';

const CALL = 'pbx-a.1763701200_12';
const OTHER = 'pbx-a.1763701200_13';
const CALLER = '1763701200.12';

type Event = IncomingEvent & { [field: string]: unknown };

/** The calls of one event, as a gateway sees it that has just taken the shard over. */
const of = (event: Event, index = new ChannelIndex('pbx-a', 'one')) => index.concernedBy(event).map(({ id }) => id);
const start = (id: string, replaced?: string) => ({
  type: 'StasisStart',
  args: [],
  channel: { id },
  ...(replaced !== undefined && { replace_channel: { id: replaced } }),
});

describe('an event finds its call', () => {
  test('by the channel that came from outside', () => {
    expect(of({ type: 'ChannelStateChange', channel: { id: CALLER } })).toEqual([CALL]);
  });

  test('by the id of a leg, and of the far half of one that is a Local channel', () => {
    expect(of(start(`${CALL}~media1`))).toEqual([CALL]);
    expect(of({ type: 'ChannelDestroyed', channel: { id: `${CALL}~leg1;2` } })).toEqual([CALL]);
  });

  test('by the bridge, where the channel is a leg and where it is the caller', () => {
    const bridge = { id: `${CALL}~bridge1` };
    expect(of({ type: 'ChannelEnteredBridge', bridge, channel: { id: `${CALL}~media1` } })).toEqual([CALL]);
    expect(of({ type: 'ChannelEnteredBridge', bridge, channel: { id: CALLER } })).toEqual([CALL]);
    expect(of({ type: 'BridgeDestroyed', bridge })).toEqual([CALL]);
    const conference = { id: 'conference-1', channels: [CALLER, '1763701200.13'] };
    expect(of({ type: 'ChannelEnteredBridge', bridge: conference, channel: { id: CALLER } })).toEqual([CALL]);
  });

  test('by a playback or recording, which names its channel or bridge only in a URI', () => {
    const playback = { id: `${CALL}~playback1`, target_uri: `channel:${CALLER}` };
    expect(of({ type: 'PlaybackFinished', playback })).toEqual([CALL]);
    expect(of({ type: 'PlaybackFinished', playback: { ...playback, id: 'foreign' } })).toEqual([CALL]);
    const recording = { name: 'foreign', target_uri: `bridge:${CALL}~bridge1` };
    expect(of({ type: 'RecordingFinished', recording })).toEqual([CALL]);
  });

  test('or has none', () => {
    expect(of({ type: 'DeviceStateChanged', device_state: { name: 'PJSIP/x' } })).toEqual([]);
    expect(of({ type: 'BridgeDestroyed', bridge: { id: 'foreign', channels: [] } })).toEqual([]);
    expect(of({ type: 'BridgeDestroyed', bridge: { id: 'foreign', channels: [CALLER] } })).toEqual([]);
    const elsewhere = { id: '1763701200.14', dialplan: { app_name: 'Dial', app_data: 'x' } };
    expect(of({ type: 'ChannelStateChange', channel: elsewhere })).toEqual([]);
    expect(of({ type: 'StasisEnd', channel: { id: 'pbx-b.1_2~leg1', dialplan: { app_name: 'Stasis' } } })).toEqual([]);
  });
});

describe('an event with ids of several calls', () => {
  test('concerns the calls of all that it is about, and not those of who happens to be in the bridge', () => {
    const bridge = { id: `${CALL}~bridge1`, channels: [`${CALL}~leg1`, '1763701200.14'] };
    const index = new ChannelIndex('pbx-a', 'one');
    for (const id of ['1763701200.13', '1763701200.14']) index.concernedBy(start(id));
    const entered = { type: 'ChannelEnteredBridge', bridge, channel: { id: '1763701200.13' } };
    expect(index.concernedBy(entered)).toEqual([
      { id: OTHER, isCaller: true },
      { id: CALL, isCaller: false },
    ]);
  });

  test('of two bridges that are merged concerns the calls of both', () => {
    const bridge = { id: `${CALL}~bridge1`, channels: [] };
    expect(of({ type: 'BridgeMerged', bridge, bridge_from: { id: `${OTHER}~bridge1` } })).toEqual([CALL, OTHER]);
    const index = new ChannelIndex('pbx-a', 'one');
    for (const id of [CALLER, '1763701200.13']) index.concernedBy(start(id));
    const [from, to] = [[CALLER], ['1763701200.13']].map((channels, n) => ({ id: `dial-${n}`, channels }));
    expect(of({ type: 'BridgeMerged', bridge: to, bridge_from: from }, index)).toEqual([OTHER, CALL]);
  });

  test('of a video source concerns the bridge’s call, and that of who was the source', () => {
    const index = new ChannelIndex('pbx-a', 'one');
    index.concernedBy(start('1763701200.13'));
    const changed = { type: 'BridgeVideoSourceChanged', bridge: { id: `${CALL}~bridge1` } };
    expect(of({ ...changed, old_video_source_id: '1763701200.13' }, index)).toEqual([OTHER, CALL]);
  });

  test('Dial has those of who calls, who is called, and who it was forwarded to', () => {
    const forwarded = { id: `${OTHER}~leg1` };
    const dial = { type: 'Dial', caller: { id: CALLER }, peer: { id: 'x' }, dialstatus: '' };
    expect(of(dial)).toEqual([CALL]);
    const index = new ChannelIndex('pbx-a', 'one');
    index.concernedBy(start(CALLER));
    expect(of({ ...dial, forwarded }, index)).toEqual([CALL, OTHER]);
  });

  test('that are of an endpoint concerns the one call that the endpoint is in: a trunk is in all', () => {
    const index = new ChannelIndex('pbx-a', 'one');
    for (const id of [CALLER, '1763701200.13']) index.concernedBy(start(id));
    const sent = (...ids: string[]) => of({ type: 'ChannelUserevent', endpoint: { channel_ids: ids } }, index);
    expect(sent(CALLER, '1763701200.99')).toEqual([CALL]);
    expect(sent(CALLER, '1763701200.13')).toEqual([]);
  });

  test('has an id in each, so that the stream keeps both', () => {
    const event = { type: 'ChannelDtmfReceived', digit: '1', timestamp: '2026-11-21T05:45:41.123+0000' };
    expect(eventId(CALL, { ...event, application: 'x' })).toBe(eventId(CALL, { ...event, application: 'y' }));
    expect(eventId(CALL, event)).not.toBe(eventId(OTHER, event));
    expect(eventId(CALL, event)).not.toBe(eventId(CALL, { ...event, digit: '2' }));
  });
});

/** What a real Asterisk 22.10.1 sent, without what has no ids: by call, A for the first; `*` where the channel is the caller. */
function recorded(scene: string) {
  const lines = readFileSync(new URL(`./recorded/${scene}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n');
  const index = new ChannelIndex('pbx-a', 'one');
  const letters = new Map<string, string>();
  const told = lines.map((line) => {
    const event = JSON.parse(line) as Event;
    const calls = index.concernedBy(event).map(({ id, isCaller }) => {
      if (!letters.has(id)) letters.set(id, 'ABCDEF'[letters.size] as string);
      return `${letters.get(id)}${isCaller ? '*' : ''}`;
    });
    return { event, text: `${event.type} ${calls.join(' ')}`.trim(), calls };
  });
  return { index, told, callCount: letters.size };
}

/** Of each scene the events that Asterisk names something in, or that have ids of several. */
const told = (scene: string, ...types: string[]) =>
  recorded(scene)
    .told.filter(({ event: { type } }) => types.includes(type))
    .map(({ text }) => text);

const scenes = readdirSync(new URL('./recorded', import.meta.url)).map((file) => file.replace('.jsonl', ''));
const TWO_CALLS = ['attended-transfer-in-dialplan', 'attended-transfer-of-two-calls', 'transfer-left-to-ari'];

describe('on a real Asterisk', () => {
  test.each(scenes)('%s: no call is made up, and nothing is kept after the end', (scene) => {
    const { index, callCount } = recorded(scene);
    const isOfTwo = [...TWO_CALLS, 'blind-transfer-into-stasis', 'local-originated-elsewhere'].includes(scene);
    expect(callCount).toBe(isOfTwo ? 2 : 1);
    expect([...index.channelIds]).toEqual([]);
  });

  test('who is sent elsewhere by an agent stays in the call: a Local channel is in the agent’s place', () => {
    expect(told('blind-transfer', 'StasisStart', 'BridgeBlindTransfer', 'Dial', 'StasisEnd')).toEqual([
      'StasisStart A*',
      'StasisStart A',
      'StasisStart A', // The Local channel, in place of the agent's.
      'Dial A',
      'BridgeBlindTransfer A',
      'StasisEnd A', // The agent.
      'StasisEnd A*',
      'StasisEnd A',
    ]);
  });

  test('who is sent to an extension that comes to Stasis is a new call there, and the old call goes on', () => {
    expect(told('blind-transfer-into-stasis', 'StasisStart', 'BridgeBlindTransfer', 'ChannelDestroyed')).toEqual([
      'StasisStart A*',
      'StasisStart A',
      'StasisStart B*', // The far half, by itself.
      'StasisStart A', // The near half, in place of the agent's.
      'BridgeBlindTransfer A',
      'ChannelDestroyed A',
      'ChannelDestroyed B*',
      'ChannelDestroyed A',
      'ChannelDestroyed A*',
    ]);
  });

  test('a caller that sends its agent elsewhere ends no call: what took its place is the caller', () => {
    expect(told('blind-transfer-by-caller', 'StasisStart', 'BridgeBlindTransfer', 'StasisEnd')).toEqual([
      'StasisStart A*',
      'StasisStart A',
      'StasisStart A*',
      'BridgeBlindTransfer A',
      'StasisEnd A',
      'StasisEnd A*',
      'StasisEnd A',
    ]);
  });

  test('an agent that joins the callers of two calls: each has its half of the link, both have the transfer', () => {
    expect(told('attended-transfer-of-two-calls', 'StasisStart', 'BridgeAttendedTransfer')).toEqual([
      'StasisStart A*',
      'StasisStart B*',
      'StasisStart A',
      'StasisStart B',
      'StasisStart B',
      'StasisStart A',
      'BridgeAttendedTransfer A B',
    ]);
  });

  test('an agent that joins the caller with one who is in no bridge yet', () => {
    expect(told('attended-transfer-to-unbridged', 'StasisStart', 'BridgeAttendedTransfer', 'Dial')).toEqual([
      'StasisStart A*',
      'StasisStart A',
      'StasisStart A',
      'StasisStart A',
      'StasisStart A',
      'BridgeAttendedTransfer A',
      'Dial A',
    ]);
  });

  test('calls that were given back to the dialplan and are joined there', () => {
    expect(told('attended-transfer-in-dialplan', 'BridgeAttendedTransfer', 'ChannelDestroyed')).toEqual([
      'BridgeAttendedTransfer A B', // Asterisk sends it once for each of the two.
      'BridgeAttendedTransfer A B',
      'ChannelDestroyed A*',
      'ChannelDestroyed B*',
    ]);
  });

  test('a transfer that is left to the application', () => {
    expect(told('transfer-left-to-ari', 'ChannelTransfer')).toEqual(['ChannelTransfer A B', 'ChannelTransfer A B']);
  });

  test('who picks a ringing leg up is that leg', () => {
    expect(told('pickup', 'StasisStart', 'ChannelDestroyed')).toEqual([
      'StasisStart A*',
      'StasisStart A',
      'StasisStart A',
      'ChannelDestroyed A',
      'ChannelDestroyed A',
      'ChannelDestroyed A*',
    ]);
    expect(told('pickup-in-dialplan', 'Dial')).toEqual(['Dial A', 'Dial A', 'Dial A']);
  });

  test('who fetches a parked caller comes into its bridge', () => {
    expect(told('park', 'ChannelEnteredBridge', 'ChannelLeftBridge')).toEqual([
      'ChannelEnteredBridge A*',
      'ChannelLeftBridge A*',
      'ChannelEnteredBridge A*',
      'ChannelEnteredBridge A',
      'ChannelLeftBridge A',
      'ChannelLeftBridge A*',
    ]);
  });

  test('whom the dialplan dials for a caller given back is of its call', () => {
    expect(told('dial-in-dialplan', 'Dial')).toEqual(['Dial A', 'Dial A', 'Dial A', 'Dial A']);
  });

  test('a Local channel that another program originated into us is a call, its far half included', () => {
    expect(told('local-originated-elsewhere', 'Dial', 'StasisStart', 'ChannelDestroyed')).toEqual([
      'StasisStart A*',
      'Dial', // Not ours yet.
      'Dial',
      'StasisStart B*',
      'ChannelDestroyed B',
      'ChannelDestroyed B*',
      'ChannelDestroyed A*',
    ]);
  });

  test('user events have channel and bridge, or an endpoint alone', () => {
    const events = told('user-events', 'ChannelUserevent');
    expect(events).toEqual(['ChannelUserevent A*', 'ChannelUserevent A', 'ChannelUserevent A*']);
  });
});

describe('a gateway that took the shard over', () => {
  const channel = (id: string, name = 'PJSIP/x-1', app = 'Stasis', data = 'one') =>
    ({ id, name, dialplan: { app_name: app, app_data: data } }) as Channel;
  const bridge = (id: string, ...channels: string[]) => ({ id, channels }) as unknown as Bridge;
  const ended = (id: string) => ({ type: 'ChannelDestroyed', channel: { id } });

  test('knows the calls, and who is in their bridges, from what the PBX has', () => {
    const index = new ChannelIndex('pbx-a', 'one');
    const there = [
      channel(CALLER),
      channel('1.1', 'Local/500@default-00000003;1'),
      channel('1.2', 'Local/500@default-00000003;2', 'Dial', 'PJSIP/y'),
      channel('1.3', 'PJSIP/x-3', 'Stasis', 'two'),
    ];
    index.rebuild(there, [bridge(`${CALL}~bridge1`, CALLER, '1.1'), bridge('parking', '1.3')], new Set());
    expect([...index.channelIds].sort()).toEqual(['1.1', '1.2', CALLER]);
    expect(index.concernedBy(ended('1.1'))).toEqual([{ id: CALL, isCaller: false }]);
    expect(index.concernedBy(ended('1.2'))).toEqual([{ id: CALL, isCaller: false }]);
    expect(index.concernedBy(ended(CALLER))).toEqual([{ id: CALL, isCaller: true }]);
  });

  test('forgets what ended while no socket stood, and keeps what came since it asked', () => {
    const index = new ChannelIndex('pbx-a', 'one');
    for (const id of ['1.1', '1.2']) index.concernedBy(start(id));
    const before = index.channelIds;
    index.concernedBy(start('1.3'));
    index.rebuild([channel('1.2')], [], before);
    expect([...index.channelIds]).toEqual(['1.2', '1.3']);
  });

  test('takes what has the place of a channel for no call of its own', () => {
    const index = new ChannelIndex('pbx-a', 'one');
    index.concernedBy(start(CALLER));
    index.concernedBy(start('1.1', CALLER));
    index.rebuild([channel(CALLER), channel('1.1')], [], index.channelIds);
    expect(index.concernedBy(ended('1.1'))).toEqual([{ id: CALL, isCaller: true }]);
  });
});

test('what took a caller’s place is the caller also when it comes back from the dialplan', () => {
  const index = new ChannelIndex('pbx-a', 'one');
  for (const event of [start(CALLER), start('1.1', CALLER), { type: 'StasisEnd', channel: { id: '1.1' } }])
    index.concernedBy(event);
  expect(index.concernedBy(start('1.1'))).toEqual([{ id: CALL, isCaller: true }]);
});

test('a Local channel’s name says no more of it after its end, and after its Asterisk was started again', () => {
  const near = { id: `${CALL}~leg1`, name: 'Local/500@default-00000000;1' };
  const far = { id: '1.1', name: 'Local/500@default-00000000;2', dialplan: { app_name: 'Answer', app_data: '' } };
  const index = new ChannelIndex('pbx-a', 'one');
  const ofFar = () => of({ type: 'ChannelStateChange', channel: far }, index);
  index.concernedBy({ type: 'StasisStart', channel: near });
  expect(ofFar()).toEqual([CALL]);
  for (const channel of [far, near]) index.concernedBy({ type: 'ChannelDestroyed', channel });
  expect(ofFar()).toEqual([]);
  index.concernedBy({ type: 'StasisStart', channel: near });
  index.rebuild([], [], index.channelIds);
  expect(ofFar()).toEqual([]);
});

test('who is put into a call’s bridge by the dialplan is of the call as long as it is there', () => {
  const index = new ChannelIndex('pbx-a', 'one');
  const bridge = { id: `${CALL}~bridge1`, channels: ['1.1'] };
  const channel = { id: '1.1', dialplan: { app_name: 'BridgeAdd', app_data: '' } };
  index.concernedBy({ type: 'ChannelEnteredBridge', bridge, channel });
  expect(of({ type: 'ChannelDtmfReceived', digit: '1', channel }, index)).toEqual([CALL]);
  index.concernedBy({ type: 'ChannelLeftBridge', bridge, channel });
  expect(of({ type: 'ChannelDtmfReceived', digit: '1', channel }, index)).toEqual([]);
});

test('channels whose end is never told do not fill the memory', () => {
  const index = new ChannelIndex('pbx-a', 'one');
  for (let n = 0; n < 25_000; n += 1) index.concernedBy(start(`1.${n}`, n % 2 ? `1.${n - 1}` : undefined));
  expect(index.channelIds.size).toBe(20_000);
  expect(index.channelIds.has('1.24999')).toBe(true);
});

test('ids that no Asterisk gives are of no call: they would not fit into a subject', () => {
  const long = 'x'.repeat(5000);
  expect(of({ type: 'ChannelStateChange', channel: { id: long } })).toEqual([]);
  expect(of(start(`pbx-a.${long}~leg1`))).toEqual([]);
  expect(of({ type: 'PlaybackFinished', playback: { id: 'x', target_uri: `channel:${long}` } })).toEqual([]);
  expect(of(start('1.1', long))).toEqual(['pbx-a.1_1']);
});

test('an event of any shape harms nobody: it concerns calls, each once, or none', () => {
  const text = fc.constantFrom(
    CALLER,
    '1.1',
    `${CALL}~leg1`,
    `${OTHER}~bridge1`,
    'Local/x-1;1',
    'Local/x-1;2',
    'Stasis',
    'one',
    '',
  );
  const wrong = fc.constantFrom(null, 7, true, [], {});
  const value = fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: wrong });
  const dialplan = fc.oneof(wrong, fc.record({ app_name: value, app_data: value }, { requiredKeys: [] }));
  const model = fc.record(
    {
      id: value,
      name: value,
      dialplan,
      channels: fc.oneof(value, fc.array(value)),
      channel_ids: value,
      target_uri: value,
    },
    { requiredKeys: [] },
  );
  const fields = [...['channel', 'replace_channel', 'peer', 'caller', 'bridge', 'endpoint', 'playback', 'transferee']];
  const event = fc
    .tuple(
      fc.constantFrom(...ARI_EVENT_TYPES, '__proto__', 'FromTheFuture'),
      fc.dictionary(fc.constantFrom(...fields), fc.oneof(model, value)),
    )
    .map(([type, rest]) => ({ ...rest, type }));
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 30 }), (events) => {
      const index = new ChannelIndex('pbx-a', 'one');
      for (const one of events) {
        const calls = of(one as Event, index);
        expect(new Set(calls).size).toBe(calls.length);
        for (const call of calls) expect(call).toMatch(/^pbx-a\../);
      }
    }),
  );
});
