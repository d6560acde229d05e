import { AriHttp, AriSocket, applications, bridges, channels, expectOk } from '@callfleet/ari';
import { type Asterisk, type Phone, type PhoneCall, placeCall, startAsterisk, startPhone } from '@callfleet/testkit';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { ChannelIndex, type IncomingEvent } from './channel-index.ts';

const APP = 'one';

let pbx: Asterisk;
let ari: AriSocket;
let http: AriHttp;
let phone: Phone;
let index: ChannelIndex;
/** In order, what came and whose it was. */
let told: { type: string; event: IncomingEvent; calls: string[] }[] = [];

beforeAll(async () => {
  pbx = await startAsterisk({ name: 'pbx-a', apps: [APP] });
  const account = { url: pbx.httpUrl, username: pbx.username, password: pbx.password };
  index = new ChannelIndex('pbx-a', APP);
  http = new AriHttp(account);
  const onEvent = (event: IncomingEvent) => {
    told.push({ type: event.type, event, calls: index.concernedBy(event).map(({ id }) => id) });
    if (event.type !== 'StasisStart') return;
    const { channel } = event as { channel: { id: string } };
    void http.request(applications.subscribe({ applicationName: APP, eventSource: [`channel:${channel.id}`] }));
  };
  ari = await AriSocket.connect({ ...account, apps: [APP], onEvent });
  phone = await startPhone({ from: pbx });
});
afterEach(async () => {
  await pbx.cli('channel request hangup all');
  const rooms = expectOk(await http.request(bridges.list()));
  for (const { id } of rooms) await http.request(bridges.destroy({ bridgeId: id }));
  await vi.waitFor(
    () => {
      expect([...index.channelIds]).toEqual([]);
      expect(told.filter(({ type }) => type === 'BridgeDestroyed')).toHaveLength(rooms.length);
    },
    { timeout: 5000 },
  );
  told = [];
});
afterAll(async () => {
  await ari?.close();
  await http?.close();
  await phone?.stop();
  await pbx?.stop();
});

/** The first one of this type, and of those that fit. */
const event = (type: string, fits: (calls: readonly string[]) => boolean = () => true) =>
  vi.waitFor(
    () => {
      const found = told.find((one) => one.type === type && fits(one.calls));
      return found ?? Promise.reject(new Error(`no ${type}: ${told.map((one) => one.type)}`));
    },
    { timeout: 5000, interval: 20 },
  );

/** A caller and an agent of its call, who speak with each other. */
async function callerWithAgent(number: string): Promise<{ call: string; agent: PhoneCall }> {
  const before = new Set(told.flatMap(({ calls }) => calls));
  const caller = await placeCall({ to: pbx.sipAddress, extension: '100', from: number });
  const { calls } = await event('StasisStart', ([call]) => call !== undefined && !before.has(call));
  const call = calls[0] as string;
  const channelId = call.slice('pbx-a.'.length).replaceAll('_', '.');
  expectOk(await ari.request(channels.answer({ channelId })));
  await caller.answered;
  const leg = `${call}~leg1`;
  const started = told.length;
  expectOk(await ari.request(channels.originate({ endpoint: phone.endpoint, app: APP, channelId: leg })));
  const agent = await phone.nextCall();
  await agent.answered;
  await vi.waitFor(() => expect(told.slice(started).map(({ type }) => type)).toContain('StasisStart'));
  const bridgeId = `${call}~bridge1`;
  expectOk(await ari.request(bridges.createWithId({ bridgeId, type: 'mixing' })));
  expectOk(await ari.request(bridges.addChannel({ bridgeId, channel: [channelId, leg] })));
  return { call, agent };
}

/** What a gateway knows that took the shard over just now: the call of each channel that is there. */
async function callsAfterTakeover(): Promise<Map<string, string[]>> {
  const fresh = new ChannelIndex('pbx-a', APP);
  const there = expectOk(await http.request(channels.list()));
  fresh.rebuild(there, expectOk(await http.request(bridges.list())), new Set());
  const callsOf = (id: string) =>
    fresh.concernedBy({ type: 'ChannelDtmfReceived', channel: { id, dialplan: { app_name: 'x' } } });
  return new Map(there.map(({ id, name }) => [name, callsOf(id).map((concerned) => concerned.id)]));
}

test('a caller that its agent sends to an extension stays in its call, also for a gateway that takes over', async () => {
  const { call, agent } = await callerWithAgent('1001');
  agent.transferTo('echo');
  expect((await event('BridgeBlindTransfer')).calls).toEqual([call]);
  const known = await callsAfterTakeover();
  expect([...known.keys()].filter((name) => name.startsWith('Local/echo@default'))).toHaveLength(2);
  expect([...known.values()]).toEqual([...known].map(() => [call]));
  await agent.hangUp();
  const heard = new Set(told.flatMap(({ calls }) => calls));
  expect([...heard]).toEqual([call]);
});

test('callers of two calls that an agent joins stay in theirs, and both are told of the transfer', async () => {
  const first = await callerWithAgent('1001');
  const second = await callerWithAgent('1002');
  first.agent.transferTo(second.agent);
  expect((await event('BridgeAttendedTransfer')).calls).toEqual([first.call, second.call]);
  const links = [...(await callsAfterTakeover())].filter(([name]) => name.startsWith('Local/_attended@transfer'));
  expect(links.map(([, calls]) => calls).sort()).toEqual([[first.call], [second.call]].sort());
  expect([...new Set(told.flatMap(({ calls }) => calls))].sort()).toEqual([first.call, second.call].sort());
});
