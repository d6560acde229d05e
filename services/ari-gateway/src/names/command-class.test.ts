import { type AriRequest, applications, bridges, channels, playbacks, recordings } from '@callfleet/ari';
import { expect, test } from 'vitest';
import { type CommandClass, classOf, withdrawnBy } from './command-class.ts';

// As media legs are named: encoded in paths, and not in queries.
const channelId = 'pbx-a.1763701200_12~leg 1/x';
const play = channels.playWithId({ channelId, playbackId: 'play-1', media: 'sound:menu' });
const join = bridges.addChannel({ bridgeId: 'room', channel: [channelId] });

test.each<[CommandClass, AriRequest<unknown>[]]>([
  [
    'control',
    [
      channels.hangup({ channelId }),
      channels.answer({ channelId }),
      channels.continueInDialplan({ channelId }),
      channels.setChannelVar({ channelId, variable: 'CALLFLEET_STATUS', value: 'X' }),
      playbacks.stop({ playbackId: 'play-1' }),
      recordings.stop({ recordingName: 'r' }),
      bridges.removeChannel({ bridgeId: 'room', channel: [channelId] }),
      bridges.destroy({ bridgeId: 'room' }),
      applications.subscribe({ applicationName: 'callfleet-1', eventSource: [`channel:${channelId}`] }),
    ],
  ],
  [
    'media',
    [
      play,
      join,
      channels.record({ channelId, name: 'r', format: 'wav' }),
      channels.externalMedia({ app: 'a', external_host: 'h', format: 'ulaw' }),
      bridges.createWithId({ bridgeId: 'room' }),
      // In turn with the one that begins it.
      channels.startMoh({ channelId }),
      channels.stopMoh({ channelId }),
      // It delays no hang-up.
      applications.subscribe({ applicationName: 'callfleet-1.mirror', eventSource: [`channel:${channelId}`] }),
    ],
  ],
  [
    'originate',
    [
      channels.create({ endpoint: 'PJSIP/1', app: 'a' }),
      channels.originateWithId({ channelId, endpoint: 'PJSIP/1' }),
      channels.dial({ channelId }),
    ],
  ],
  ['read', [channels.get({ channelId }), channels.getChannelVar({ channelId, variable: 'X' })]],
])('%s', (commandClass, requests) => {
  for (const request of requests) expect(classOf(request), `${request.method} ${request.route}`).toBe(commandClass);
});

test.each([
  ['a playback', playbacks.stop({ playbackId: 'play-1' }), play],
  ['a recording', recordings.stop({ recordingName: 'r' }), channels.record({ channelId, name: 'r', format: 'wav' })],
  ['a call', channels.hangup({ channelId }), play],
  ['a leg', channels.hangup({ channelId: 'leg' }), channels.create({ channelId: 'leg', endpoint: 'x', app: 'a' })],
  ['a room', bridges.destroy({ bridgeId: 'room' }), bridges.createWithId({ bridgeId: 'room' })],
  ['a stay in a room', bridges.removeChannel({ bridgeId: 'room', channel: [channelId] }), join],
] as const)('what waits for %s that is ended now is not begun afterwards', (_, end, waiting) => {
  expect(withdrawnBy(end)?.(waiting)).toBe(true);
});

test.each([
  ['another playback', playbacks.stop({ playbackId: 'play-2' }), play],
  ['another call', channels.hangup({ channelId: '1763701200.1' }), play],
  ['another room', bridges.removeChannel({ bridgeId: 'hall', channel: [channelId] }), join],
  ['an answer', channels.answer({ channelId }), play],
  ['a room that it leaves', bridges.removeChannel({ bridgeId: 'room', channel: [channelId] }), play],
] as const)('what waits is not withdrawn for %s', (_, end, waiting) => {
  expect(withdrawnBy(end)?.(waiting) ?? false).toBe(false);
});
