import { asterisk, bridges, channels, recordings } from '@callfleet/ari';
import { expect, test } from 'vitest';
import { isSlow, waitsItsTurn } from './slow-command.ts';

const leg = { app: 'one', external_host: '127.0.0.1:1', format: 'ulaw' } as const;
const webSocket = { encapsulation: 'none', transport: 'websocket' } as const;

test.each([
  ['an AudioSocket leg', channels.externalMedia({ ...leg, encapsulation: 'audiosocket', transport: 'tcp' }), true],
  ['a WebSocket leg that dials', channels.externalMedia({ ...leg, ...webSocket, connection_type: 'client' }), true],
  [
    'a WebSocket leg that is dialled',
    channels.externalMedia({ ...leg, ...webSocket, connection_type: 'server' }),
    false,
  ],
  ['an RTP leg', channels.externalMedia({ ...leg, encapsulation: 'rtp', transport: 'udp' }), false],
  ['the list of stored recordings', recordings.listStored(), true],
  ['the list of modules', asterisk.listModules(), true],
  ['an answer', channels.answer({ channelId: '1.1' }), false],
  ['the list of channels', channels.list(), false],
])('%s', (_, request, slow) => {
  expect(isSlow(request)).toBe(slow);
});

test.each([
  ['a channel variable', channels.setChannelVar({ channelId: '1.1', variable: 'A', value: '1' }), true],
  ['into a bridge', bridges.addChannel({ bridgeId: 'b', channel: '1.1' }), true],
  ['out of a bridge', bridges.removeChannel({ bridgeId: 'b', channel: '1.1' }), true],
  ['a hang-up', channels.hangup({ channelId: '1.1' }), false],
  ['one more sound', channels.play({ channelId: '1.1', media: 'sound:beep' }), false],
])('what waits for the end of a sound: %s', (_, request, waits) => {
  expect(waitsItsTurn(request)).toBe(waits);
});
