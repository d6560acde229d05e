import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Asterisk,
  type NatsServer,
  type RedisServer,
  startAsterisk,
  startNatsServer,
  startRedisServer,
} from '@callfleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SERVICES = ['ari-gateway', 'call-worker', 'media-relay'] as const;

let nats: NatsServer;
let redis: RedisServer;
let pbx: Asterisk;
let folder: string;

beforeAll(async () => {
  [nats, redis, pbx, folder] = await Promise.all([
    startNatsServer(),
    startRedisServer(),
    startAsterisk(),
    mkdtemp(join(tmpdir(), 'callfleet-startup-')),
  ]);
});
afterAll(async () => {
  await Promise.all([nats?.stop(), redis?.stop(), pbx?.stop(), folder && rm(folder, { recursive: true })]);
});

interface Ending {
  code: number;
  lines: string[];
}

/** Starts one service with this configuration, and waits for it to give up. */
async function start(service: (typeof SERVICES)[number], change: Record<string, unknown> = {}): Promise<Ending> {
  const file = join(folder, `${crypto.randomUUID()}.yaml`);
  const config = {
    nats: { servers: [nats.url] },
    redis: { url: redis.url },
    pbxs: [{ name: 'pbx-a', url: pbx.httpUrl, username: pbx.username, password: pbx.password }],
    programs: [{ name: 'echo', file: join(ROOT, 'examples/echo-bot.ts'), extensions: ['100'] }],
    telemetry: { level: 'error' },
    ...change,
  };
  await writeFile(file, JSON.stringify(config));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, 'services', service, 'src/main.ts')],
      { env: { ...process.env, CALLFLEET_CONFIG: file }, timeout: 20_000 },
      (error, stdout, stderr) => {
        const lines = `${stdout}${stderr}`
          .split('\n')
          .filter((line) => line !== '' && !line.includes('ExperimentalWarning'));
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, lines });
      },
    );
  });
}

describe.each(SERVICES)('%s gives up at its start with one clear line:', (service) => {
  test('NATS is not there', async () => {
    const { code, lines } = await start(service, { nats: { servers: ['127.0.0.1:1'] } });
    expect(lines).toEqual([expect.stringMatching(/NATS at 127\.0\.0\.1:1 does not answer: check nats\.servers/)]);
    expect(code).toBe(1);
  });

  test('an unknown key', async () => {
    const { code, lines } = await start(service, { redes: {} });
    expect(lines.join('\n')).toMatch(/unknown key "redes"; accepted: nats, redis, pbxs/);
    expect(lines.join('\n')).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });
});

describe.each(['ari-gateway', 'call-worker'] as const)('%s gives up at its start with one clear line:', (service) => {
  test('Redis is stopped', async () => {
    const { code, lines } = await start(service, { redis: { url: 'redis://127.0.0.1:1' } });
    expect(lines).toEqual([expect.stringMatching(/Redis at 127\.0\.0\.1:1 does not answer: check redis\.url/)]);
    expect(code).toBe(1);
  });
});

test('a gateway gives up at its start with one clear line: a wrong password', async () => {
  const pbxs = [{ name: 'pbx-a', url: pbx.httpUrl, username: pbx.username, password: 'wrong-one' }];
  const { code, lines } = await start('ari-gateway', { pbxs });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/CF_ARI_UNAUTHORIZED/);
  expect(lines[0]).not.toContain('wrong-one');
  expect(code).toBe(1);
});

test('a worker gives up at its start with one clear line: a program that can not be loaded', async () => {
  const programs = [{ name: 'gone', file: '/nowhere/gone.ts', extensions: ['100'] }];
  const { code, lines } = await start('call-worker', { programs });
  expect(lines).toEqual([expect.stringMatching(/program "gone" \(\/nowhere\/gone\.ts\) can't be loaded/)]);
  expect(code).toBe(1);
});
