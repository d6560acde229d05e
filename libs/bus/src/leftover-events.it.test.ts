import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from './connection.ts';
import { publishLeftovers } from './leftover-events.ts';
import { createSpillFolder } from './spill-folder.ts';
import { ensureStreams } from './streams.ts';

const EVENTS = 3000;
const SERVERS = ['nats-1:4222'];

let server: NatsServer;
let bus: Bus;
let root: string;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: [server.url], name: 'test' });
  await ensureStreams(bus);
  root = await mkdtemp(join(tmpdir(), 'callfleet-leftovers-'));
});
afterAll(async () => {
  await bus?.close();
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

/** A gateway for which NATS is away all its life: it holds the first event in memory, and the others on disk. */
const DOOMED = `
  import { EventOutbox } from './event-outbox.ts';
  import { createSpillFolder } from './spill-folder.ts';
  import { SpillQueue } from './spill-queue.ts';
  const [root, servers, events] = process.argv.slice(1);
  const folder = await createSpillFolder(root, { instance: 'gateway-1-aaa', servers: [servers] });
  const spill = new SpillQueue({ folder, maxBytes: 1e9, onTrouble: (error) => { throw error; } });
  const away = { nc: { subscribe: () => {}, publish: () => {} }, onReconnect: () => () => {} };
  const out = new EventOutbox(away, { maxHeld: 1, spill, onRefused: () => process.exit(1), onRetry: () => {} });
  for (let seq = 1; seq <= Number(events); seq += 1) {
    const call = 'pbx-a.1763701200_1';
    out.publish({ id: 'x' + seq, call, source: 'gateway-1-aaa', seq, at: '', type: 'ari.X', data: {} });
  }
  console.log(JSON.stringify({ folder, bytes: spill.bytes }));
  setInterval(() => {}, 60_000);
`;

async function bytesIn(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

test('what a killed gateway had on disk is in the stream, in order, when the next has started', async () => {
  const args = ['--input-type=module', '-e', DOOMED, root, ...SERVERS, String(EVENTS)];
  const doomed = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(doomed.stdout, 'data')) as [Buffer];
  const { folder, bytes } = JSON.parse(line.toString()) as { folder: string; bytes: number };
  await expect.poll(() => bytesIn(folder), { timeout: 10_000 }).toBe(bytes);
  const start = async (instance: string) => {
    const owner = { instance, servers: SERVERS };
    const own = await createSpillFolder(root, owner);
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    await publishLeftovers({ bus, root, own, owner, log }, new AbortController().signal);
    return own;
  };
  const count = async () => (await bus.jsm.streams.info('CALLS')).state.messages;

  await start('gateway-2-bbb');
  expect(await count(), 'while it lives').toBe(0);
  doomed.kill('SIGKILL');
  await once(doomed, 'exit');
  const own = await start('gateway-3-ccc');
  expect(await count()).toBe(EVENTS - 1);
  for (const seq of [1, EVENTS / 2, EVENTS - 1]) {
    const stored = await bus.jsm.direct.getMessage('CALLS', { seq });
    expect(stored?.json()).toMatchObject({ source: 'gateway-1-aaa', seq: seq + 1 });
  }
  expect(await readdir(own)).toEqual([]);
  expect(await readdir(root)).toHaveLength(2);
});
