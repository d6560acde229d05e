import type { Bridge, Channel } from '@callfleet/ari';
import { expect, test } from 'vitest';
import { sourcesOf } from './mirror-subscriptions.ts';
import { PbxSnapshot } from './pbx-snapshot.ts';

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
