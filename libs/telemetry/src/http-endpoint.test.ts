import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Health, serviceStates } from './health.ts';
import { type HttpEndpoint, startHttpEndpoint } from './http-endpoint.ts';

let health: Health;
let endpoint: HttpEndpoint;
let scrape: () => Promise<string>;

beforeEach(async () => {
  health = new Health();
  scrape = async () => 'up 1\n';
  endpoint = await startHttpEndpoint({ host: '127.0.0.1', port: 0 }, health, () => scrape());
});
afterEach(() => endpoint.close());

const ask = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${endpoint.port}${path}`, init);

describe('/readyz', () => {
  test('says yes while the service runs and nothing is missing', async () => {
    health.check('nats', () => undefined);
    health.enter('RUNNING');
    const answer = await ask('/readyz');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ state: 'RUNNING', missing: [] });
  });

  test('says what is missing, all of it', async () => {
    health.check('nats', () => 'disconnected since 3 s');
    health.check('redis', () => undefined);
    health.check('room', () => 'it has as many sessions as it may');
    health.enter('RUNNING');
    const answer = await ask('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      state: 'RUNNING',
      missing: ['nats: disconnected since 3 s', 'room: it has as many sessions as it may'],
    });
  });

  test.each(serviceStates.filter((state) => state !== 'RUNNING'))('says no in state %s', async (state) => {
    health.enter(state);
    const answer = await ask('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ state, missing: [] });
  });

  test('tells nothing of what a failing check threw', async () => {
    health.check('redis', () => {
      throw new Error('redis://user:secret@host');
    });
    health.enter('RUNNING');
    const answer = await ask('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain('secret');
  });
});

test('/livez says yes in every state, whatever is missing', async () => {
  health.check('nats', () => 'away');
  for (const state of serviceStates) {
    health.enter(state);
    expect((await ask('/livez')).status).toBe(200);
  }
});

describe('/metrics', () => {
  test('is what was scraped', async () => {
    const answer = await ask('/metrics');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toBe('up 1\n');
  });

  test('that can not be read do not end the service', async () => {
    scrape = () => Promise.reject(new Error('no'));
    expect((await ask('/metrics')).status).toBe(500);
    expect((await ask('/livez')).status).toBe(200);
  });
});

test('there is nothing else', async () => {
  for (const path of ['/', '/metrics/x', '/..', '/readyz/']) expect((await ask(path)).status).toBe(404);
});

test('it can be asked with GET and HEAD, and with nothing else', async () => {
  health.enter('RUNNING');
  const head = await ask('/readyz', { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const answer = await ask('/readyz', { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  }
});

test('a request that is too long is refused', async () => {
  expect((await ask('/livez', { headers: { filler: 'x'.repeat(10_000) } })).status).toBe(431);
});

test('a request that never ends is given up', { timeout: 15_000 }, async () => {
  const socket = connect(endpoint.port, '127.0.0.1');
  socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n');
  let answered = '';
  socket.on('data', (data) => {
    answered += data;
  });
  await once(socket, 'close');
  expect(answered).toMatch(/^HTTP\/1.1 408 /);
});

test('a port that is in use is one clear error', async () => {
  const second = startHttpEndpoint({ host: '127.0.0.1', port: endpoint.port }, health, scrape);
  await expect(second).rejects.toMatchObject({
    code: 'CF_HTTP_LISTEN',
    message: expect.stringContaining(`127.0.0.1:${endpoint.port}: the port is in use`),
  });
});
