import type { Bridge, Channel } from '@callfleet/ari';
import type { CallEvent } from '@callfleet/bus';
import { type CallId, callIdOf } from '@callfleet/identity';
import { describe, expect, test } from 'vitest';
import { ChannelIndex } from './channel-index.ts';
import { eventId } from './event-id.ts';
import { endOfPlayback, missedEvents, startOf, unknownCalls } from './missed-events.ts';
import { PbxSnapshot } from './pbx-snapshot.ts';
import { toldCall } from './told-call.ts';

const CALLER = 'pbx-a-1795258034.10';
const CALL = callIdOf('pbx-a', CALLER);
const NOW = '2026-11-21T10:47:20.000+0000';
const LEG = `${CALL}~leg1`;

/** As Asterisk 22 answers `GET /channels`. */
function channelOf(id: string, { app = 'Stasis', data = 'one', state = 'Up' } = {}): Channel {
  return {
    id,
    name: `PJSIP/loopback-${id.at(-1)}`,
    state: state as Channel['state'],
    protocol_id: '1-4711@127.0.0.1',
    caller: { name: '', number: '1001' },
    connected: { name: '', number: '' },
    accountcode: '',
    dialplan: { context: 'default', exten: '100', priority: 5, app_name: app, app_data: data },
    creationtime: '2026-11-21T10:47:14.270+0000',
    language: 'en',
  };
}

/** As Asterisk 22 answers `GET /bridges`. */
function bridgeOf(id: string, ...channels: string[]): Bridge {
  return {
    id,
    technology: 'simple_bridge',
    bridge_type: 'mixing',
    bridge_class: 'stasis',
    creator: 'Stasis',
    name: '',
    channels,
    video_mode: 'none',
    creationtime: '2026-11-21T10:47:14.370+0000',
  };
}

function told(...events: Array<{ type: string; [field: string]: unknown }>) {
  return toldOf(CALL, ...events);
}

function toldOf(call: CallId, ...events: Array<{ type: string; [field: string]: unknown }>) {
  const stored = events.map((data, n): CallEvent => {
    const at = '2026-11-21T10:47:15.000Z';
    return { id: String(n), call, source: 'gateway-1', seq: n + 1, at, type: `ari.${data.type}`, data };
  });
  return toldCall(call, stored);
}

const started = (id: string, state = 'Up') => ({ type: 'StasisStart', args: [], channel: channelOf(id, { state }) });

/** What is told of the call when the PBX has this. */
function missed(
  call: ReturnType<typeof told>,
  channels: Channel[],
  bridges: Bridge[] = [],
  since: ReturnType<typeof told> = toldOf(call.id),
) {
  const index = new ChannelIndex('pbx-a', 'one');
  index.rebuild(channels, bridges, new Set());
  const snapshot = new PbxSnapshot('pbx-a', 'one', channels, bridges);
  return missedEvents(call, since, snapshot, (id) => index.callOf(id), NOW).map((event) => [
    event.type,
    (event.channel as Channel).id,
  ]);
}

describe('what a call has missed', () => {
  test('is nothing when the PBX has what was told', () => {
    const call = told(started(CALLER), started(LEG), { type: 'ChannelDestroyed', channel: { id: `${CALL}~leg2` } });
    const bridges = [bridgeOf(`${CALL}~bridge1`, CALLER, LEG)];
    expect(missed(call, [channelOf(CALLER), channelOf(LEG)], bridges)).toEqual([]);
  });

  test('is its end when its caller is gone, and the ends of its legs', () => {
    expect(missed(told(started(CALLER), started(LEG)), [])).toEqual([
      ['StasisEnd', LEG],
      ['ChannelDestroyed', LEG],
      ['StasisEnd', CALLER],
      ['ChannelDestroyed', CALLER],
    ]);
  });

  test('is that it left, when its caller is elsewhere in the dialplan', () => {
    const call = told(started(CALLER));
    expect(missed(call, [channelOf(CALLER, { app: 'Queue', data: 'support' })])).toEqual([['StasisEnd', CALLER]]);
    expect(missed(call, [channelOf(CALLER, { data: 'two' })])).toEqual([['StasisEnd', CALLER]]);
  });

  test('is nothing more when its end was told', () => {
    expect(missed(told(started(CALLER), { type: 'StasisEnd', channel: { id: CALLER } }), [])).toEqual([]);
  });

  test('is no end when another channel has taken its place', () => {
    const other = channelOf('pbx-a-1795258034.12');
    const bridges = [bridgeOf(`${CALL}~bridge1`, other.id, LEG)];
    expect(missed(told(started(CALLER), started(LEG)), [other, channelOf(LEG)], bridges)).toEqual([]);
  });

  test('is the end of a leg that rang and never came', () => {
    const call = told(started(CALLER), { type: 'Dial', peer: channelOf(LEG, { state: 'Ringing' }), dialstatus: '' });
    expect(missed(call, [channelOf(CALLER)])).toEqual([['ChannelDestroyed', LEG]]);
  });

  test('is a leg that came, and that somebody answered', () => {
    expect(missed(told(started(CALLER)), [channelOf(CALLER), channelOf(LEG, { data: 'one,leg' })])).toEqual([
      ['StasisStart', LEG],
    ]);
    const ringing = told(started(CALLER, 'Ring'), started(LEG, 'Ringing'));
    expect(missed(ringing, [channelOf(CALLER), channelOf(LEG)])).toEqual([
      ['ChannelStateChange', LEG],
      ['ChannelStateChange', CALLER],
    ]);
  });

  test('is nothing that was told in the moment when the PBX was asked', () => {
    const call = told(started(CALLER, 'Ring'), started(LEG, 'Ringing'));
    const up = (id: string) => ({ type: 'ChannelStateChange', channel: channelOf(id) });
    const answered = told(up(CALLER), up(LEG));
    expect(missed(call, [channelOf(CALLER), channelOf(LEG)], [], answered)).toEqual([]);
    const other = `${CALL}~leg2`;
    const both = [channelOf(CALLER), channelOf(LEG), channelOf(other)];
    const came = told(up(CALLER), up(LEG), started(other));
    expect(missed(call, both, [], came)).toEqual([]);
    const cameAndWent = told(up(CALLER), up(LEG), started(other), { type: 'StasisEnd', channel: channelOf(other) });
    expect(missed(call, both, [], cameAndWent)).toEqual([]);
    const left = told(up(CALLER), { type: 'ChannelDestroyed', channel: channelOf(LEG) });
    expect(missed(call, [channelOf(CALLER)], [], left)).toEqual([]);
  });

  test('is known as the same by whoever notices it, whenever', () => {
    const first = startOf(channelOf(CALLER, { state: 'Ring' }), NOW);
    const again = startOf(channelOf(CALLER), '2026-11-21T10:48:20.000+0000');
    expect(eventId(CALL, again)).toBe(eventId(CALL, first));
    const others = [startOf(channelOf(LEG), NOW), endOfPlayback(`${CALL}~playback1`, NOW)];
    others.push(endOfPlayback(`${CALL}~playback2`, NOW), { ...first, type: 'StasisEnd' });
    expect(new Set([first, ...others].map((event) => eventId(CALL, event))).size).toBe(5);
    expect(eventId(CALL, started(CALLER))).not.toBe(eventId(CALL, first));
  });
});

test('what was told of a call names its playbacks that have not ended, and how far it has come', () => {
  const playback = (n: number) => ({ id: `${CALL}~playback${n}`, target_uri: `channel:${CALLER}` });
  const call = told(
    started(CALLER),
    { type: 'PlaybackStarted', playback: playback(1) },
    { type: 'PlaybackFinished', playback: playback(1) },
    { type: 'PlaybackStarted', playback: playback(2) },
  );
  expect([...call.playbacks]).toEqual([`${CALL}~playback2`]);
  expect(call.progress).toEqual({ answeredAt: '2026-11-21T10:47:15.000Z' });
  expect(call.start).toMatchObject({ type: 'StasisStart', channel: { id: CALLER } });
});

describe('calls that nobody was told of', () => {
  const find = (channels: Channel[], bridges: Bridge[] = [], known: string[] = []) => {
    const index = new ChannelIndex('pbx-a', 'one');
    index.rebuild(channels, bridges, new Set());
    const snapshot = new PbxSnapshot('pbx-a', 'one', channels, bridges);
    return unknownCalls(
      snapshot,
      (call) => known.includes(call),
      (id) => index.callOf(id),
    ).map(({ id }) => id);
  };

  test('are the channels in the application that are no legs', () => {
    expect(find([channelOf(CALLER), channelOf(LEG), channelOf('1.2', { data: 'one,a,b' })])).toEqual([CALLER, '1.2']);
    expect(find([channelOf(CALLER), channelOf('1.2')], [], [CALL])).toEqual(['1.2']);
    expect(startOf(channelOf('1.2', { data: 'one,a,b' }), NOW)).toMatchObject({ args: ['a', 'b'], synthesized: true });
  });

  test('are none of another shard, application or dialplan', () => {
    const others = [{ data: 'two' }, { data: 'one-more' }, { app: 'Queue', data: 'one' }, { app: '', data: '' }];
    expect(find(others.map((other, n) => channelOf(`1.${n}`, other)))).toEqual([]);
  });

  test('are none that took the place of a caller, in the bridge of its call', () => {
    expect(find([channelOf('1.2'), channelOf(LEG)], [bridgeOf(`${CALL}~bridge1`, '1.2', LEG)])).toEqual([]);
  });
});

describe('what is left of calls that are gone', () => {
  const strays = (channels: Channel[], bridges: Bridge[], live = false) =>
    new PbxSnapshot('pbx-a', 'one', channels, bridges).strays(() => live);
  const room = `${CALL}~bridge1`;

  test('is their legs and bridges', () => {
    expect(strays([channelOf(LEG)], [bridgeOf(room, LEG)])).toEqual({ channels: [LEG], bridges: [room] });
  });

  test('is nothing while the caller is there, wherever, or the call goes on without', () => {
    const elsewhere = channelOf(CALLER, { app: 'Queue', data: 'support' });
    expect(strays([channelOf(LEG), elsewhere], [bridgeOf(room, LEG)])).toEqual({ channels: [], bridges: [] });
    expect(strays([channelOf(LEG)], [bridgeOf(room, LEG)], true)).toEqual({ channels: [], bridges: [] });
  });

  test("is never anything of others: no foreign id, other PBX's or other shard's leg, nor whoever is in a room with them", () => {
    const foreign = ['1.2', 'somebody~leg1', 'pbx-b.1_2~leg1', `agent-${CALL}`].map((id) => channelOf(id));
    const others = [channelOf(LEG, { data: 'two' }), channelOf(`${CALL}~leg2`, { app: 'Dial', data: 'PJSIP/x' })];
    const bridges = [bridgeOf('conference', '1.2'), bridgeOf('pbx-b.1_2~bridge1'), bridgeOf('somebody~bridge1')];
    expect(strays([...foreign, ...others], bridges)).toEqual({ channels: [], bridges: [] });
    const shared = [channelOf('1.2'), channelOf(LEG), channelOf(`${CALL}~leg2`)];
    expect(strays(shared, [bridgeOf(room, '1.2', LEG)])).toEqual({ channels: [`${CALL}~leg2`], bridges: [] });
  });
});

describe('a call that we place', () => {
  const CHANNEL = 'cf-out-1';
  const call = callIdOf('pbx-a', CHANNEL);
  const here = (state: string) => channelOf(CHANNEL, { data: 'one,callfleet-originated', state });

  test('and that nobody has dialled yet has not ended', () => {
    expect(missed(toldOf(call), [])).toEqual([]);
  });

  test('and that was dialled while nobody listened is told of as it is now', () => {
    expect(missed(toldOf(call), [here('Up')])).toEqual([['StasisStart', CHANNEL]]);
  });

  test('and that rang before is told of as answered, or as gone', () => {
    const rang = toldOf(call, { type: 'StasisStart', args: [], channel: here('Down') });
    expect(missed(rang, [here('Up')])).toEqual([['ChannelStateChange', CHANNEL]]);
    expect(missed(rang, [])).toEqual([
      ['StasisEnd', CHANNEL],
      ['ChannelDestroyed', CHANNEL],
    ]);
  });
});
