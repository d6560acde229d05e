import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type BreakerEvent,
  breakerEventSchema,
  decodeMessage,
  type PbxAnnouncement,
  pbxAnnouncementSchema,
} from '@callfleet/bus';
import { type Asterisk, type AsteriskOptions, FALLBACK_TONE_HZ, placeCall, startAsterisk } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { type HttpFleet, startHttpFleet } from './fleet-http.ts';

const CLI = fileURLToPath(new URL('../cli/src/main.ts', import.meta.url));
const SHARDS = ['callfleet-1', 'callfleet-2'];
const POLL = { timeout: 20_000, interval: 50 };
const DRAIN_MS = 6000;

let system: HttpFleet;
let first: Asterisk;
/** All that gateways announced, in order. */
const announced: PbxAnnouncement[] = [];
const breakers: BreakerEvent[] = [];

beforeAll(async () => {
  system = await startHttpFleet(
    { gateway: { removedDrainMs: DRAIN_MS, reconnectMaxMs: 1000 } },
    { pbxs: [{ name: 'pbx-a', transport: 'websocket' }], workers: 1 },
  );
  first = system.pbxs[0] as Asterisk;
  system.bus.nc.subscribe('cf.pbxs', {
    callback: (_error, { data }) => void announced.push(decodeMessage(pbxAnnouncementSchema, data)),
  });
  system.bus.nc.subscribe('cf.breaker.*', {
    callback: (_error, { data }) => void breakers.push(decodeMessage(breakerEventSchema, data)),
  });
  await vi.waitUntil(() => lastOf('pbx-a')?.state === 'CONNECTED', POLL);
});
afterAll(() => system?.stop());

type Entry = Record<string, unknown>;

const entryOf = (name: string, { httpUrl, username, password }: Asterisk): Entry => ({
  name,
  url: httpUrl,
  username,
  password,
  shards: SHARDS,
  zone: 'pbx-a',
});

/** The configuration's PBXs from now on: `pbx-a`, and these. */
async function configure(...others: Entry[]): Promise<void> {
  const config = JSON.parse(await readFile(system.configFile, 'utf8'));
  await write(JSON.stringify({ ...config, pbxs: [entryOf('pbx-a', first), ...others] }));
}

async function write(text: string): Promise<void> {
  await writeFile(`${system.configFile}.new`, text);
  await rename(`${system.configFile}.new`, system.configFile);
}

async function anotherPbx(options: AsteriskOptions = {}): Promise<Asterisk> {
  const pbx = await startAsterisk({ apps: SHARDS, ...options });
  onTestFinished(async () => {
    await configure();
    await pbx.stop();
  });
  return pbx;
}

/** What was announced of a PBX since the n-th announcement, each time that it was something else. */
function statesOf(pbx: string, from = 0): string[] {
  const states = announced.slice(from).flatMap((told) => (told.pbx === pbx && told.state ? [told.state] : []));
  return states.filter((state, n) => state !== states[n - 1]);
}

const lastOf = (pbx: string) => announced.findLast((told) => told.pbx === pbx);

/** Waits until this is the last that is announced of it. @returns why */
async function stateOf(pbx: string, state: string): Promise<string | undefined> {
  await expect.poll(() => lastOf(pbx)?.state, { ...POLL, message: `state of ${pbx}` }).toBe(state);
  return lastOf(pbx)?.why;
}

async function talk(pbx: Asterisk, from: string, toneHz = 600) {
  const call = await placeCall({ to: pbx.sipAddress, extension: '100', from, audio: { toneHz } });
  await call.waitForTone(toneHz, 10_000);
  return call;
}

/** How often this was logged of a PBX. */
function logged(pbx: string, what: string): number {
  return system.complaints.filter((line) => line.includes(`"pbx":"${pbx}"`) && line.includes(`"msg":"${what}"`)).length;
}

/** Nobody has closed or lost an event socket of `pbx-a` since, or told of another state. Without news it is told of every two seconds only. */
function undisturbed() {
  const before = system.complaints.length;
  const entry = announced.length;
  return () => {
    const lines = system.complaints.slice(before);
    expect(lines.filter((line) => /pbx-a/.test(line) && /socket-lost|unreachable|draining/.test(line))).toEqual([]);
    expect(statesOf('pbx-a', entry).filter((state) => state !== 'CONNECTED')).toEqual([]);
  };
}

test('a PBX is added while a call talks on another, is served, and is removed: its call goes on, new ones do not', async () => {
  const second = await anotherPbx();
  const isUndisturbed = undisturbed();
  const talking = await talk(first, '6001');
  const startedAt = talking.now();

  await configure(entryOf('pbx-b', second));
  await stateOf('pbx-b', 'CONNECTED');
  const onSecond = await talk(second, '6002', 800);
  const ready = async () => ((await (await system.get('gateway-1', '/readyz')).json()) as { pbxs: unknown }).pbxs;
  await expect.poll(ready, POLL).toEqual([
    { pbx: 'pbx-a', state: 'CONNECTED', since: expect.any(String) },
    { pbx: 'pbx-b', state: 'CONNECTED', since: expect.any(String) },
  ]);
  const metrics = await system.metrics(['gateway-1']);
  const connected = { callfleet_pbx: 'pbx-b', callfleet_pbx_state: 'CONNECTED' };
  expect(metrics.sum('callfleet_pbx_state', connected)).toBe(1);
  expect(metrics.sum('callfleet_pbx_state', { callfleet_pbx: 'pbx-b' })).toBe(1);

  await configure();
  await expect.poll(() => logged('pbx-b', 'shard.draining'), POLL).toBe(2);
  const late = await placeCall({ to: second.sipAddress, extension: '100', from: '6003' });
  await late.waitForTone(FALLBACK_TONE_HZ, 5000);
  await onSecond.waitForTone(800, 1000);
  await onSecond.hangUp();
  await late.hangUp();
  expect(await system.recordOf('6002')).toMatchObject({ pbx: 'pbx-b', endedBy: 'caller', takeovers: 0 });
  await expect.poll(() => logged('pbx-b', 'shard.given-up'), POLL).toBe(2);

  expect(talking.heard.longestSilenceMs({ fromMs: startedAt, toMs: talking.now() })).toBeLessThan(500);
  await talking.waitForTone(600, 1000);
  await talking.hangUp();
  expect(await system.recordOf('6001')).toMatchObject({
    endedBy: 'caller',
    takeovers: 0,
    program: { name: 'echo-bot' },
  });
  isUndisturbed();
  await system.expectNothingLeft();
});

test('a call that outlasts the bound of a removed PBX goes back to the dialplan, and leaves nothing', async () => {
  const second = await anotherPbx();
  await configure(entryOf('pbx-c', second));
  await stateOf('pbx-c', 'CONNECTED');
  const call = await talk(second, '6101');
  await configure();
  await call.waitForTone(FALLBACK_TONE_HZ, DRAIN_MS + 5000);
  await system.recordOf('6101');
  await expect.poll(() => logged('pbx-c', 'shard.given-up'), POLL).toBe(2);
  await call.hangUp();
  await expect.poll(() => system.leftovers(second), POLL).toEqual([]);
  await system.expectNothingLeft();
});

async function applications({ httpUrl, username, password }: Asterisk): Promise<unknown[]> {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const answer = await fetch(`${httpUrl}/ari/applications`, { headers: { authorization } });
  return (await answer.json()) as unknown[];
}

test('`./callfleet pbxs` prints the fleet', async () => {
  await configure({ name: 'pbx-z', url: 'http://127.0.0.1:1', username: 'x', password: 'y', shards: SHARDS });
  onTestFinished(() => configure());
  await stateOf('pbx-z', 'DOWN');
  const call = await talk(first, '6151');
  await wait(2000);
  const { code, text } = await new Promise<{ code: number; text: string }>((resolve) =>
    execFile(process.execPath, [CLI, 'pbxs', '--config', system.configFile], (error, text) =>
      resolve({ code: Number(error?.code ?? 0), text }),
    ),
  );
  expect(text).toMatch(/pbx-a +│ CONNECTED +│ 20\S+Z +│ +│ callfleet-1: gateway-\d +│ +1 │/);
  expect(text).toMatch(/pbx-z +│ DOWN +│ 20\S+Z +│ no connection to pbxs\[\]\.url/);
  expect(code).toBe(1);
  await call.hangUp();
  await system.recordOf('6151');
});

test('a file that is broken is refused with the words of a start, and what was before goes on', async () => {
  const isUndisturbed = undisturbed();
  const good = await readFile(system.configFile, 'utf8');
  const before = system.complaints.length;
  const refusals = (what: RegExp) =>
    system.complaints.slice(before).filter((line) => line.includes('config.refused') && what.test(line)).length;
  const { pbxs, ...rest } = JSON.parse(good);
  await write(JSON.stringify({ ...rest, pbxs: [...pbxs, pbxs[0]] }));
  // Two gateways and a relay.
  await expect.poll(() => refusals(/pbxs\[1\]\.name: \\"pbx-a\\" is taken by entry 0/), POLL).toBe(3);
  await write('pbxs: [');
  await expect.poll(() => refusals(/configuration .* is not usable/), POLL).toBe(6);
  const call = await talk(first, '6201');
  await call.hangUp();
  await system.recordOf('6201');
  await write(JSON.stringify({ ...rest, pbxs, up: { workers: 7 } }));
  await expect
    .poll(() => system.complaints.some((line) => /"up\.workers".*config\.restart-needed/.test(line)), POLL)
    .toBe(true);
  await write(good);
  isUndisturbed();
});

test('a wrong password is named until it is mended, and no other PBX notices', async () => {
  const second = await anotherPbx();
  const isUndisturbed = undisturbed();
  await configure({ ...entryOf('pbx-d', second), password: 'not-this-one' });
  expect(await stateOf('pbx-d', 'DOWN')).toMatch(/refuses the user or the password: mend pbxs\[\]\.username/);
  await configure(entryOf('pbx-d', second));
  await stateOf('pbx-d', 'CONNECTED');
  const call = await talk(second, '6301');
  await call.hangUp();
  await system.recordOf('6301');
  expect(system.complaints.join('\n')).not.toContain('not-this-one');
  isUndisturbed();
});

test('a PBX with the entityid of another is refused, whichever gateway meets it; the first stays as it is', async () => {
  const entityId = '02:00:00:00:be:ef';
  const original = await anotherPbx({ entityId });
  const clone = await anotherPbx({ entityId });
  await configure(entryOf('pbx-e', original));
  await stateOf('pbx-e', 'CONNECTED');
  const talking = await talk(original, '6401');
  const from = announced.length;
  await configure(entryOf('pbx-e', original), entryOf('pbx-f', clone));
  await expect.poll(() => lastOf('pbx-f')?.why, POLL).toMatch(/^its entityid 02:00:00:00:be:ef is that of pbx-e/);
  expect(lastOf('pbx-f')?.state).toBe('DOWN');
  const told = () => announced.filter(({ pbx }) => pbx === 'pbx-f').flatMap(({ shards }) => shards);
  await expect.poll(() => new Set(told().map(({ shard }) => shard)).size, POLL).toBe(2);
  expect(told().filter(({ state }) => state !== 'away')).toEqual([]);
  expect(await applications(clone)).toEqual([]);
  expect(statesOf('pbx-e', from).filter((state) => state !== 'CONNECTED')).toEqual([]);
  await talking.waitForTone(600, 1000);
  await talking.hangUp();
  await system.recordOf('6401');
  // The first is taken out: the name is free.
  await configure(entryOf('pbx-f', clone));
  await stateOf('pbx-f', 'CONNECTED');
});

test('a PBX that is killed is DOWN, and comes back over SYNCING to CONNECTED: on the bus, and in the log', async () => {
  const second = await anotherPbx();
  await configure(entryOf('pbx-g', second));
  await stateOf('pbx-g', 'CONNECTED');
  const isUndisturbed = undisturbed();
  const from = announced.length;
  await second.kill();
  expect(await stateOf('pbx-g', 'DOWN')).toMatch(/no connection to pbxs\[\]\.url|closed|broke/);
  await second.restart();
  await stateOf('pbx-g', 'CONNECTED');
  const states = statesOf('pbx-g', from);
  const down = states.indexOf('DOWN');
  const syncing = states.indexOf('SYNCING', down);
  expect(down, states.join()).toBeGreaterThanOrEqual(0);
  expect(syncing, states.join()).toBeGreaterThan(down);
  expect(states.indexOf('CONNECTED', syncing), states.join()).toBeGreaterThan(syncing);
  const lines = system.complaints.filter((line) => /"pbx":"pbx-g"/.test(line) && /"msg":"pbx\.state"/.test(line));
  for (const state of ['DOWN', 'SYNCING', 'CONNECTED'])
    expect(lines.filter((line) => line.includes(`"state":"${state}"`)).length, state).toBeGreaterThan(0);
  isUndisturbed();
});

test('a PBX that hangs under a call: its breaker is told as it opens, and as it closes', async () => {
  const second = await anotherPbx();
  await configure(entryOf('pbx-h', second));
  await stateOf('pbx-h', 'CONNECTED');
  const call = await talk(second, '6501');
  process.kill(second.pid, 'SIGSTOP');
  onTestFinished(() => void process.kill(second.pid, 'SIGCONT'));
  // Something must be asked of it.
  call.sendDtmf('1');
  const commandTo = (shard: string) =>
    system.bus.nc
      .request(
        `cf.cmd.pbx-h.${shard}`,
        JSON.stringify({
          kind: 'ari',
          call: 'pbx-h.nobody',
          epoch: 1,
          id: crypto.randomUUID(),
          request: { method: 'GET', route: '/channels', path: 'channels', query: {} },
        }),
        { timeout: 4000 },
      )
      .catch(() => {});
  for (const shard of SHARDS) void commandTo(shard);
  const told = () => breakers.filter(({ pbx }) => pbx === 'pbx-h').map(({ state }) => state);
  await expect.poll(told, POLL).toContain('open');
  process.kill(second.pid, 'SIGCONT');
  await expect.poll(told, POLL).toContain('closed');
  await stateOf('pbx-h', 'CONNECTED');
  await call.hangUp();
});

test('what is no Asterisk at all is DOWN and says why, and no gateway dies of it', async () => {
  const isUndisturbed = undisturbed();
  const page = await listen(createServer((_, response) => response.end('<html>')));
  const json = await listen(
    createServer((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":1}')),
  );
  const entry = { username: 'x', password: 'y', shards: SHARDS };
  const garbage = await impostor(Buffer.concat(Array(100).fill(textFrame('no JSON'))));
  // A header that says 1 GiB.
  const huge = await impostor(Buffer.from([0x81, 127, 0, 0, 0, 0, 0x40, 0, 0, 0]));
  const deep = await impostor(textFrame('{"type":"StasisStart"}'), textFrame('{"type":"StasisStart","channel":[]}'));
  await configure(
    { ...entry, name: 'garbage', url: garbage },
    { ...entry, name: 'huge', url: huge },
    { ...entry, name: 'deep', url: deep },
    { ...entry, name: 'page', url: page },
    { ...entry, name: 'json', url: json },
    { ...entry, name: 'tls', url: page.replace('http:', 'https:') },
    { ...entry, name: 'nobody', url: 'http://127.0.0.1:1' },
  );
  expect(await stateOf('page', 'DOWN')).toBeDefined();
  await expect.poll(() => lastOf('page')?.why, POLL).toMatch(/is no Asterisk: mend the url|there is no ARI/);
  await expect.poll(() => lastOf('json')?.why, POLL).toMatch(/is no Asterisk: mend the url/);
  await expect.poll(() => lastOf('tls')?.why, POLL).toMatch(/^TLS fails: mend pbxs\[\]\.url/);
  await expect.poll(() => lastOf('nobody')?.why, POLL).toMatch(/^no connection to pbxs\[\]\.url/);
  await expect
    .poll(() => whys('garbage'), POLL)
    .toContainEqual(expect.stringMatching(/frames that are no ARI messages/));
  await expect.poll(() => whys('huge'), POLL).toContainEqual(expect.stringMatching(/a frame that is too large/));
  await expect.poll(() => announced.some(({ pbx, state }) => pbx === 'deep' && state === 'CONNECTED'), POLL).toBe(true);
  isUndisturbed();
  await configure();
  await wait(100);
  expect(system.complaints.filter((line) => line.includes('ended by itself'))).toEqual([]);
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const whys = (name: string) =>
  announced.filter(({ pbx }) => pbx === name).flatMap(({ shards }) => shards.map(({ why }) => why));

function textFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
}

/** Answers as an Asterisk does, opens event sockets, and then sends this on them. */
async function impostor(...frames: Buffer[]): Promise<string> {
  const server = createServer((request, response) => {
    const info = { system: { version: '22.10.1', entity_id: crypto.randomUUID() } };
    const isInfo = request.url?.startsWith('/ari/asterisk/info');
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(isInfo ? info : []));
  });
  server.on('upgrade', (request, socket) => {
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    socket.on('error', () => {});
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    // When it is taken for connected.
    const timer = setTimeout(() => socket.write(Buffer.concat(frames)), 500);
    socket.on('close', () => clearTimeout(timer));
  });
  return listen(server);
}
