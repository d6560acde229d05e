import { access, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { claimPort, installParts, startNatsServer, startRedisServer } from './mod.ts';

/** Sends lines over TCP and gives what came back until it matches. */
async function talk(port: number, lines: string, until: RegExp): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  socket.write(lines);
  let answer = '';
  for await (const text of socket) {
    answer += text;
    if (until.test(answer)) break;
  }
  return answer;
}

const isAlive = (pid: number) =>
  access(`/proc/${pid}`).then(
    () => true,
    () => false,
  );

test('the parts are installed once and quickly found again', async () => {
  await installParts();
  const before = performance.now();
  const steps: string[] = [];
  await installParts((step) => steps.push(step));
  expect(performance.now() - before).toBeLessThan(1000);
  expect(steps).toEqual([]);
});

test('a NATS server has JetStream, and keeps its streams when it is killed', async () => {
  const nats = await startNatsServer();
  const create = `PUB $JS.API.STREAM.CREATE.KEPT _INBOX.1 ${'{"name":"KEPT","subjects":["kept.>"]}'.length}\r\n{"name":"KEPT","subjects":["kept.>"]}\r\n`;
  const created = await talk(nats.port, `CONNECT {}\r\nSUB _INBOX.1 1\r\n${create}`, /"config"|"error"/);
  expect(created).toContain('"name":"KEPT"');

  const { pid } = nats;
  await nats.kill();
  await expect(fetch(`${nats.monitorUrl}/varz`)).rejects.toThrow();
  await nats.restart();
  expect(nats.pid).not.toBe(pid);
  const jetStream = (await (await fetch(`${nats.monitorUrl}/jsz`)).json()) as {
    streams: number;
    config: { store_dir: string };
  };
  expect(jetStream.streams).toBe(1);

  await nats.stop();
  expect(await isAlive(nats.pid)).toBe(false);
  await expect(readdir(jetStream.config.store_dir)).rejects.toThrow('ENOENT');
});

test.each([
  { persistent: false, kept: '_' },
  { persistent: true, kept: 'value' },
])('a Redis server answers; persistent $persistent: after a kill it has "$kept"', async ({ persistent, kept }) => {
  const redis = await startRedisServer({ persistent });
  expect(await talk(redis.port, 'PING\r\nSET key value\r\n', /OK/)).toBe('+PONG\r\n+OK\r\n');
  await redis.kill();
  await redis.restart();
  expect(await talk(redis.port, 'GET key\r\nPING\r\n', /PONG/)).toContain(kept === '_' ? '$-1\r\n' : `\r\n${kept}\r\n`);
  await redis.stop();
  expect(await isAlive(redis.pid)).toBe(false);
  await expect(talk(redis.port, 'PING\r\n', /./)).rejects.toThrow('ECONNREFUSED');
});

test('servers started at once get different ports', async () => {
  const servers = await Promise.all([startRedisServer(), startRedisServer(), startNatsServer()]);
  const ports = [...servers.map(({ port }) => port), await claimPort()];
  expect(new Set(ports).size).toBe(4);
  expect(Math.max(...ports)).toBeLessThan(32_768);
  await Promise.all(servers.map((server) => server.stop()));
});

test('a server that is told nonsense says so', async () => {
  await expect(startNatsServer({ config: 'nonsense {' })).rejects.toMatchObject({
    code: 'CF_CHILD_EXITED',
    message: expect.stringContaining('nats-server: '),
  });
});
