import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  AriListener,
  type AriListenerOptions,
  type AriSocket,
  applications,
  bridges,
  channels,
  type DialIn,
  type DialInRefusal,
  expectOk,
  readFeatures,
} from '@callfleet/ari';
import { type Asterisk, startAsterisk } from '@callfleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { type Dialling, diallingFiles } from './dialling-pbx.ts';

const LONG = { timeout: 15_000, interval: 20 };
const PATH = '/ari/pbx-a/shard';
const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listen(options: Partial<AriListenerOptions> = {}) {
  const dialIns: DialIn[] = [];
  const refusals: DialInRefusal[] = [];
  const listener = await AriListener.start({
    host: '127.0.0.1',
    port: 0,
    accountAt: (path) => (path === PATH ? { username: 'pbx-a', password: 'dials-in' } : undefined),
    onDialIn: (dialIn) => dialIns.push(dialIn),
    onRefused: (why) => refusals.push(why),
    ...options,
  });
  closing.push(() => listener.close());
  return { port: listener.port, dialIns, refusals };
}

async function dialledBy(dialling: Partial<Dialling> & { port: number }): Promise<Asterisk> {
  const pbx = await startAsterisk({ files: diallingFiles({ shards: ['shard'], ...dialling }) });
  closing.push(() => pbx.stop());
  return pbx;
}

/** The next socket that comes, when its Asterisk takes requests. */
async function socketOf(
  { dialIns }: { dialIns: DialIn[] },
  onEvent: (event: { type: string }) => void = () => {},
): Promise<AriSocket> {
  await expect.poll(() => dialIns.length, LONG).toBeGreaterThan(0);
  const socket = await (dialIns.shift() as DialIn).open({ onEvent });
  await expect.poll(async () => (await socket.request(applications.list())).status, LONG).toBe(200);
  return socket;
}

test('an Asterisk that dials us is served over its socket alone: who it is, commands, events, large answers', async () => {
  const here = await listen();
  await dialledBy(here);
  const types: string[] = [];
  const socket = await socketOf(here, ({ type }) => types.push(type));
  const { version, entityId, features } = await readFeatures(socket);
  expect(version.release?.[0]).toBeGreaterThanOrEqual(20);
  expect(entityId).toMatch(/:/);
  expect(features.outboundWebSocket).toBe(true);
  const filter = { disallowed: [{ type: 'ChannelVarset' }] };
  expectOk(await socket.request(applications.filter({ applicationName: 'shard', filter })));
  await socket.request(channels.originateWithId({ channelId: 'call', endpoint: 'Local/s@default', app: 'shard' }));
  await socket.request(channels.hangup({ channelId: 'call' }));

  for (let n = 0; n < 400; n += 1)
    expectOk(await socket.request(bridges.createWithId({ bridgeId: `${n}-${'x'.repeat(200)}`, type: 'mixing' })));
  const all = expectOk(await socket.request(bridges.list()));
  expect(all).toHaveLength(400);
  expect(JSON.stringify(all).length).toBeGreaterThan(100_000);
  expect(types).toContain('ApplicationRegistered');
});

test('a call that comes while nobody is there is told to the next one, after a clean close', async () => {
  const here = await listen();
  const pbx = await dialledBy(here);
  const first = await socketOf(here);
  await first.close();
  const placed = pbx.cli('channel originate Local/s@default application Stasis shard,told-later');
  await expect.poll(() => here.dialIns.length, LONG).toBe(1);
  await placed;
  const types: string[] = [];
  await socketOf(here, ({ type }) => types.push(type));
  await expect.poll(() => types, LONG).toContain('StasisStart');
});

test('with a wrong password it is refused, again and again, and so is who asks for what is not his', async () => {
  const here = await listen();
  const pbx = await dialledBy({ port: here.port, password: 'wrong' });
  await expect.poll(() => here.refusals.length, LONG).toBeGreaterThanOrEqual(3);
  expect(new Set(here.refusals)).toEqual(new Set(['unauthorized']));
  expect(here.dialIns).toEqual([]);
  expect(await pbx.cli('core show version')).toContain('Asterisk');
});

test('over TLS, with the certificate of an authority that it knows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'callfleet-tls-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile, '-out', certFile],
  ]);
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  const here = await listen({ tls: { cert, key } });
  await dialledBy({ port: here.port, ca: cert });
  await socketOf(here);
  expect(here.refusals).toEqual([]);
});
