import { describe, expect, test } from 'vitest';
import { AriHttp } from './ari-http.ts';
import { parseAsteriskVersion } from './asterisk-version.ts';
import { FakeAsterisk, type FakeRequest } from './fake-asterisk.ts';
import { type AriFeatures, featuresOf, readFeatures } from './features.ts';

const NAMES = [
  'restOverWebSocket',
  'outboundWebSocket',
  'chanWebSocket',
  'chanWebSocketJson',
  'stasisBroadcast',
  'readOnlyEnforced',
] as const satisfies (keyof AriFeatures)[];

/** The first `count` features, in the order in which Asterisk got them. */
const first = (count: number) => Object.fromEntries(NAMES.map((name, n) => [name, n < count]));

describe('without api-docs the release decides', () => {
  test.each([
    ['18.26.4', 0],
    ['20.13.9', 0],
    ['20.14.0', 1],
    ['20.15.2', 2],
    ['20.16.0', 3],
    ['20.18.0', 4],
    ['20.20.0', 5],
    ['20.20.1', 6],
    ['21.12.0', 0],
    ['22.3.0', 0],
    ['22.4.1', 1],
    ['22.5.0', 2],
    ['22.6.0', 3],
    ['22.8.2', 4],
    ['22.10.0', 5],
    ['22.10.1+dfsg+~cs6.17', 6],
    ['22.11.0', 6],
    ['23.0.0', 3],
    ['23.2.0', 4],
    ['23.4.0', 5],
    ['23.4.1', 6],
    ['24.0.0', 6],
    ['certified/20.7-cert5', 0],
    ['certified/22.8-cert1', 4],
    ['GIT-22-0a1b2c3', 0],
  ])('%s has the first %i', (text, count) => {
    expect(featuresOf(parseAsteriskVersion(text))).toEqual(first(count));
  });
});

test('what the api-docs show counts more than the release; a fix goes by the release', () => {
  const docs = {
    models: new Set(['RESTRequest', 'ApplicationRegistered']),
    mediaTransports: new Set(['udp', 'websocket']),
    mediaParameters: new Set(['format']),
  };
  expect(featuresOf(parseAsteriskVersion('GIT-22-0a1b2c3'), docs)).toEqual(first(3));
  expect(featuresOf(parseAsteriskVersion('20.1.0'), docs)).toEqual(first(3));
  expect(featuresOf(parseAsteriskVersion('22.10.1'), docs)).toEqual({ ...first(3), readOnlyEnforced: true });
});

async function featuresFrom(version: string, docs: Record<string, unknown>) {
  const fake = await FakeAsterisk.start();
  fake.handler = ({ path }: FakeRequest) => {
    if (path === 'asterisk/info') return { status: 200, json: { system: { version } } };
    const json = docs[path];
    return json === undefined ? { status: 404, json: { message: 'Resource not found' } } : { status: 200, json };
  };
  const ari = new AriHttp(fake.account);
  const found = await readFeatures(ari);
  await ari.close();
  await fake.stop();
  return found;
}

test('an Asterisk is asked for its version and its api-docs', async () => {
  const transport = { name: 'transport', allowableValues: { valueType: 'LIST', values: ['udp', 'websocket'] } };
  const media = {
    path: '/channels/externalMedia',
    operations: [{ parameters: [transport, { name: 'transport_data' }] }],
  };
  const found = await featuresFrom('GIT-23-0a1b2c3', {
    'api-docs/events.json': { models: { RESTRequest: {}, ApplicationRegistered: {}, CallBroadcast: {} } },
    'api-docs/channels.json': { apis: [{ path: '/channels', operations: [{}] }, media] },
  });
  expect(found).toEqual({ version: { text: 'GIT-23-0a1b2c3' }, features: first(5) });
});

test.each([
  ['left out by the packager', {}],
  ['not api-docs', { 'api-docs/events.json': [], 'api-docs/channels.json': { apis: 7 } }],
])('api-docs %s are done without', async (_, docs) => {
  expect((await featuresFrom('22.8.0', docs)).features).toEqual(first(4));
});
