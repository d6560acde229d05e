import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { closeServer, configOf, listen } from './fake-pbx.ts';
import { checkNats, checkNatsVersion, checkReplicas } from './nats.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

const configFor = (server: string) => configOf([{}], { CALLFLEET_NATS__SERVERS: `["${server}"]` });

describe('NATS', () => {
  test('that does not run is unreachable', async () => {
    expect(await checkNats(configFor('127.0.0.1:1'), 1000)).toMatchObject([
      { check: 'reachable', level: 'problem', found: expect.stringMatching(/refuses/) },
    ]);
  });

  test('that refuses the credentials says so', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('INFO {"server_id":"x","version":"2.11.0","max_payload":1048576,"auth_required":true}\r\n');
      socket.on('data', () => socket.end("-ERR 'Authorization Violation'\r\n"));
    });
    closers.push(() => closeServer(server));
    const url = new URL(await listen(server));
    expect(await checkNats(configFor(url.host), 1000)).toMatchObject([{ check: 'credentials', level: 'problem' }]);
  });

  test('older than 2.11 is a problem', () => {
    expect(checkNatsVersion({ version: '2.9.10' })).toMatchObject({ level: 'problem' });
    expect(checkNatsVersion({ version: '2.11.0-beta.1' })).toMatchObject({ level: 'ok' });
    expect(checkNatsVersion({ version: '2.15.2' })).toMatchObject({ level: 'ok' });
    expect(checkNatsVersion({ version: '3.0.0' })).toMatchObject({ level: 'ok' });
  });

  test('cannot keep more copies than it has servers', () => {
    const version = '2.15.0';
    expect(checkReplicas({ version }, 1)).toEqual([]);
    expect(checkReplicas({ version }, 3)).toMatchObject([{ level: 'problem', found: expect.stringMatching(/alone/) }]);
    const cluster = { version, cluster: 'main', connect_urls: ['a:4222', 'b:4222'] };
    expect(checkReplicas(cluster, 3)).toMatchObject([{ level: 'problem', found: expect.stringMatching(/shows 2/) }]);
    expect(checkReplicas({ ...cluster, connect_urls: ['a', 'b', 'c'] }, 3)).toMatchObject([{ level: 'ok' }]);
    expect(checkReplicas({ version, cluster: 'main' }, 3)).toMatchObject([{ level: 'ok' }]);
  });
});
