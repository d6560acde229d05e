import { expect, expectTypeOf, test } from 'vitest';
import type { Channel, Playback } from './generated/models.gen.ts';
import { applications, asterisk, bridges, channels, endpoints } from './generated/operations.gen.ts';
import type { AriRequest } from './request.ts';

test('a request is a plain value: route for metrics, path and query to send', () => {
  const request = channels.play({ channelId: 'pbx-a/1=2.3~leg1', media: ['sound:a', 'sound:b'], offsetms: 0 });
  expectTypeOf(request).toEqualTypeOf<AriRequest<Playback>>();
  expect(request).toEqual({
    method: 'POST',
    route: '/channels/{channelId}/play',
    path: 'channels/pbx-a%2F1%3D2.3~leg1/play',
    query: { media: 'sound:a,sound:b', offsetms: '0' },
  });
});

test('parameters that are undefined are left out, false and empty ones are not', () => {
  const request = bridges.addChannel({ bridgeId: 'b', channel: 'c', mute: false, role: '', absorbDTMF: undefined });
  expect(request.query).toEqual({ channel: 'c', mute: 'false', role: '' });
  expect(channels.originate({ endpoint: 'Local/1', variables: undefined })).not.toHaveProperty('body');
  expect(asterisk.getInfo()).toMatchObject({ path: 'asterisk/info', query: {} });
});

test('a body holds its parameter under its name, or is it', () => {
  const variables = { A: '1', B: { value: '2', report_events: true } };
  expect(channels.setChannelVars({ channelId: 'c', variables }).body).toEqual({ variables });
  expect(endpoints.sendMessage({ to: 'a', from: 'b', body: 'hi', variables: {} })).toMatchObject({
    query: { to: 'a', from: 'b', body: 'hi' },
    body: { variables: {} },
  });
  const filter = { disallowed: [{ type: 'ChannelVarset' }] };
  expect(applications.filter({ applicationName: 'bot', filter }).body).toBe(filter);
});

test('the type of the answer comes with the request', () => {
  expectTypeOf(channels.list()).toEqualTypeOf<AriRequest<Channel[]>>();
  expectTypeOf(channels.hangup({ channelId: 'c' })).toEqualTypeOf<AriRequest<void>>();
  expectTypeOf<Channel['channelvars']>().toEqualTypeOf<Record<string, string> | undefined>();
});
