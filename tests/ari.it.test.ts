import { AriHttp, AriSocket, applications, asterisk, bridges, channels, expectOk, readFeatures } from '@callfleet/ari';
import { type Asterisk, startAsterisk } from '@callfleet/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

let pbx: Asterisk;
let account: { url: string; username: string; password: string };
const closing: Array<() => Promise<void>> = [];

beforeAll(async () => {
  pbx = await startAsterisk();
  account = { url: pbx.httpUrl, username: pbx.username, password: pbx.password };
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(() => pbx?.stop());

function http(): AriHttp {
  const requester = new AriHttp(account);
  closing.push(() => requester.close());
  return requester;
}

async function socket(app: string, onEvent: (event: { type: string }) => void = () => {}): Promise<AriSocket> {
  const opened = await AriSocket.connect({ ...account, apps: [app], onEvent });
  closing.push(() => opened.close());
  return opened;
}

describe.each(['socket', 'http'] as const)('a request over %s to a real Asterisk', (way) => {
  const requester = () => (way === 'socket' ? socket(`app-${way}`) : Promise.resolve(http()));

  test('is answered with what it is documented to answer', async () => {
    const info = expectOk(await (await requester()).request(asterisk.getInfo({ only: 'system' })));
    expect(info.system?.version).toMatch(/^\d+\.\d+/);
  });

  test('makes a bridge under our own id, and refuses to make it twice in another way', async () => {
    const ari = await requester();
    const bridgeId = `pbx-a.1763701200_12~bridge-${way}`;
    expect(expectOk(await ari.request(bridges.createWithId({ bridgeId, type: 'mixing' }))).id).toBe(bridgeId);
    const again = await ari.request(bridges.create({ bridgeId, type: 'mixing' }));
    expect(again.status).toBe(409);
    expect((await ari.request(bridges.destroy({ bridgeId }))).status).toBe(204);
    // Asterisk forgets it a moment after it has said so.
    await expect.poll(async () => (await ari.request(bridges.get({ bridgeId }))).status).toBe(404);
  });

  test('that is refused says why', async () => {
    const response = await (await requester()).request(channels.answer({ channelId: 'none' }));
    expect(response).toMatchObject({ ok: false, status: 404, refusal: 'Channel not found' });
  });
});

test('events of a channel come in order, and an event filter holds', async () => {
  const types: string[] = [];
  const ari = await socket('events', (event) => types.push(event.type));
  const filter = { disallowed: [{ type: 'ChannelDialplan' }, { type: 'ChannelVarset' }] };
  expectOk(await ari.request(applications.filter({ applicationName: 'events', filter })));
  expectOk(
    await ari.request(
      channels.originateWithId({ channelId: 'call-1', endpoint: 'Local/s@echo', app: 'events', appArgs: 'x' }),
    ),
  );
  await expect.poll(() => types).toContain('StasisStart');
  await ari.request(channels.hangup({ channelId: 'call-1' }));
  await expect.poll(() => types).toContain('StasisEnd');
  expect(types.indexOf('StasisStart')).toBeLessThan(types.indexOf('StasisEnd'));
  expect(types).not.toContain('ChannelVarset');
});

test('a wrong password is told apart, on both ways', async () => {
  const wrong = { ...account, password: 'wrong' };
  const requester = new AriHttp(wrong);
  closing.push(() => requester.close());
  await expect(requester.request(asterisk.ping())).rejects.toMatchObject({ code: 'CF_ARI_UNAUTHORIZED' });
  const connecting = AriSocket.connect({ ...wrong, apps: ['x'], onEvent: () => {} });
  await expect(connecting).rejects.toMatchObject({ code: 'CF_ARI_UNAUTHORIZED' });
});

test('the version says what it can do', async () => {
  const { version, features } = await readFeatures(http());
  expect(version.release?.[0]).toBeGreaterThanOrEqual(20);
  expect(features.restOverWebSocket).toBe(true);
});
