import type { AriRequest, AriRequester, Bridge, Channel } from '@callfleet/ari';
import { expect, test } from 'vitest';
import type { IncomingEvent } from '../events/channel-index.ts';
import { PbxSnapshot } from '../events/pbx-snapshot.ts';
import { arrivalsIn, MirrorSubscriptions, sourcesOf } from './mirror-subscriptions.ts';

const channel = (id: string, app_name: string, app_data: string) =>
  ({ id, name: id, state: 'Up', dialplan: { app_name, app_data } }) as Channel;
const bridge = (id: string, channels: string[]) => ({ id, channels }) as Bridge;

test('a mirror is told of all channels and bridges of its shard, and of nothing else', () => {
  const snapshot = new PbxSnapshot(
    'pbx-a',
    'one',
    [
      channel('1763701200.1', 'Stasis', 'one'),
      channel('pbx-a.1763701200_1~leg1', 'Stasis', 'one,leg'),
      channel('pbx-a.1763701200_1~leg2', 'AppDial2', '(Outgoing Line)'),
      channel('1763701200.7', 'Dial', 'PJSIP/x'),
      channel('1763701200.2', 'Stasis', 'two'),
      channel('pbx-a.1763701200_2~leg1', 'Stasis', 'two'),
      channel('1763701200.9', 'Dial', 'PJSIP/y'),
    ],
    [
      bridge('pbx-a.1763701200_1~bridge1', ['1763701200.1', '1763701200.7']),
      bridge('pbx-a.1763701200_1~bridge2', []),
      bridge('pbx-a.1763701200_2~bridge1', ['1763701200.2']),
      bridge('somebody-elses', ['1763701200.9']),
    ],
  );
  expect(sourcesOf(snapshot).toSorted()).toEqual([
    'bridge:pbx-a.1763701200_1~bridge1',
    'bridge:pbx-a.1763701200_1~bridge2',
    'channel:1763701200.1',
    'channel:1763701200.7',
    'channel:pbx-a.1763701200_1~leg1',
    'channel:pbx-a.1763701200_1~leg2',
  ]);
});

const leg = { id: 'leg', dialplan: { app_name: 'Stasis' } };
const stranger = { id: 'x', dialplan: { app_name: 'Dial' } };
test.each<[string, Record<string, unknown>, string[]]>([
  ['a channel in Stasis', { type: 'StasisStart', channel: leg }, ['channel:leg']],
  ['a leg that is dialled', { type: 'Dial', dialstatus: '', peer: leg }, ['channel:leg']],
  ['a leg that rings', { type: 'Dial', dialstatus: 'RINGING', peer: leg }, []],
  ['a leg in a bridge', { type: 'ChannelEnteredBridge', bridge: { id: 'b' }, channel: leg }, ['bridge:b']],
  [
    'the same of the dialplan',
    { type: 'ChannelEnteredBridge', bridge: { id: 'b' }, channel: stranger },
    ['bridge:b', 'channel:x'],
  ],
  ['nothing', { type: 'ChannelEnteredBridge' }, []],
])('what a mirror is told of when there comes %s', (_, event, sources) => {
  expect(arrivalsIn(event as unknown as IncomingEvent)).toEqual(sources);
});

test('a mirror is told of many in few requests; where one is gone, of each of them alone', async () => {
  const asked: string[][] = [];
  const request = async ({ query }: AriRequest<unknown>) => {
    const sources = String(query?.eventSource).split(',');
    asked.push(sources);
    return sources.includes('channel:30') ? { ok: false, status: 422 } : { ok: true };
  };
  const shard = { pbx: 'pbx-a', shard: 'one' };
  const subscriptions = new MirrorSubscriptions(shard, { request } as unknown as AriRequester, () => true);
  await subscriptions.add(Array.from({ length: 45 }, (_, n) => `channel:${n}`));
  expect(asked.map((sources) => sources.length)).toEqual([20, 20, 5, ...Array.from({ length: 20 }, () => 1)]);
  expect(new Set(asked.slice(3).flat())).toEqual(new Set(asked[1]));
});
