import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AriSocket } from '@callfleet/ari';
import { connectRedis } from '@callfleet/leases';
import {
  type Asterisk,
  type NatsServer,
  type RedisServer,
  startAsterisk,
  startNatsServer,
  startRedisServer,
} from '@callfleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from './finding.ts';
import { runDoctor } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'callfleet-doctor-'));
let asterisk: Asterisk;
let nats: NatsServer;
let redis: RedisServer;

beforeAll(async () => {
  [asterisk, nats, redis] = await Promise.all([
    startAsterisk({ files: { 'ari.conf': ARI_CONF } }),
    startNatsServer(),
    startRedisServer(),
  ]);
});

afterAll(async () => {
  await Promise.all([asterisk?.stop(), nats?.stop(), redis?.stop()]);
  rmSync(folder, { recursive: true });
});

const ARI_CONF = `
[general]
enabled = yes
[callfleet]
type = user
password = callfleet
[watcher]
type = user
read_only = yes
password = callfleet
`;

const THIS_FILE = import.meta.filename;

/** The findings for a configuration of the real parts, but for these changes. `pbxs`: what differs in each entry. */
async function doctor({ pbxs = [{}], ...changes }: { pbxs?: object[]; [section: string]: unknown } = {}) {
  const pbx = { url: asterisk.httpUrl, username: 'callfleet', password: 'callfleet' };
  const config = {
    pbxs: pbxs.map((change, index) => ({ name: 'abc'[index], ...pbx, ...change })),
    nats: { servers: [nats.url] },
    redis: { url: redis.url },
    programs: [{ name: 'bot', file: THIS_FILE, extensions: ['_X.'] }],
    ...changes,
  };
  const file = join(folder, 'callfleet.yaml');
  // JSON is YAML too.
  writeFileSync(file, JSON.stringify(config));
  return runDoctor({ config: file });
}

const troubles = (findings: readonly Finding[]) =>
  findings.filter(({ level }) => level !== 'ok').map(({ subject, check, level }) => `${level}: ${subject} ${check}`);

const SHARDS_UNSERVED = 'warning: pbx a shards';

describe('on real parts', () => {
  test('all is well but for the shards, which nobody serves', async () => {
    expect(troubles(await doctor())).toEqual([SHARDS_UNSERVED]);
  });

  test('a shard that is served stays with who serves it', async () => {
    const seen: string[] = [];
    const closed: unknown[] = [];
    const socket = await AriSocket.connect({
      url: asterisk.httpUrl,
      username: asterisk.username,
      password: asterisk.password,
      apps: ['callfleet-1', 'callfleet-2'],
      onEvent: ({ type }) => seen.push(type),
      onClose: (info) => closed.push(info),
    });
    expect(troubles(await doctor())).toEqual([]);
    expect(seen).not.toContain('ApplicationReplaced');
    expect(closed).toEqual([]);
    expect(await asterisk.cli('ari show apps')).not.toContain('callfleet-doctor');
    await socket.close();
  });

  test('a wrong password', async () => {
    expect(troubles(await doctor({ pbxs: [{ password: 'wrong' }] }))).toEqual(['problem: pbx a ari password']);
  });

  test('a read-only user', async () => {
    const findings = await doctor({ pbxs: [{ username: 'watcher' }] });
    expect(troubles(findings)).toEqual(['problem: pbx a ari user', SHARDS_UNSERVED]);
  });

  test('two Asterisks with one entityid, as a clone has it', async () => {
    const entityId = '02:00:00:00:00:01';
    const clones = await Promise.all([startAsterisk({ entityId }), startAsterisk({ entityId })]);
    try {
      const findings = await doctor({ pbxs: clones.map(({ httpUrl }) => ({ url: httpUrl })) });
      expect(troubles(findings)).toContain('problem: pbx b entityid');
      expect(findings).toContainEqual(
        expect.objectContaining({ check: 'entityid', mend: expect.stringMatching(/set entityid in \[options\]/) }),
      );
    } finally {
      await Promise.all(clones.map((clone) => clone.stop()));
    }
  });

  test('a PBX that is not there, beside one that is', async () => {
    const findings = await doctor({ pbxs: [{}, { url: 'http://127.0.0.1:1' }] });
    expect(troubles(findings)).toEqual([SHARDS_UNSERVED, 'problem: pbx b reachable']);
  });

  test('one Asterisk under two names, with and without the same shards', async () => {
    expect(troubles(await doctor({ pbxs: [{}, {}] }))).toContain('problem: pbx b same machine');
    const apart = await doctor({ pbxs: [{}, { shards: ['x', 'y'] }] });
    expect(troubles(apart)).toContain('problem: pbx b same machine');
  });
});

describe('NATS', () => {
  test('that is not there', async () => {
    const findings = await doctor({ nats: { servers: ['127.0.0.1:1'] } });
    expect(troubles(findings)).toEqual([SHARDS_UNSERVED, 'problem: nats reachable']);
  });

  test('alone cannot keep three copies', async () => {
    const findings = await doctor({ nats: { servers: [nats.url], replicas: 3 } });
    expect(troubles(findings)).toEqual([SHARDS_UNSERVED, 'problem: nats replicas']);
  });

  test('without JetStream', async () => {
    const plain = await startNatsServer({ config: 'jetstream: disabled' });
    try {
      expect(troubles(await doctor({ nats: { servers: [plain.url] } }))).toEqual([
        SHARDS_UNSERVED,
        'problem: nats jetstream',
      ]);
    } finally {
      await plain.stop();
    }
  });

  test('that wants credentials', async () => {
    const closed = await startNatsServer({ config: 'authorization { user: a, password: b }' });
    try {
      expect(troubles(await doctor({ nats: { servers: [closed.url] } }))).toEqual([
        SHARDS_UNSERVED,
        'problem: nats credentials',
      ]);
      const findings = await doctor({ nats: { servers: [closed.url], user: 'a', password: 'b' } });
      expect(troubles(findings)).toEqual([SHARDS_UNSERVED]);
    } finally {
      await closed.stop();
    }
  });
});

describe('Redis', () => {
  test('that does not run', async () => {
    await redis.kill();
    try {
      expect(troubles(await doctor())).toEqual([SHARDS_UNSERVED, 'problem: redis reachable']);
    } finally {
      await redis.restart();
    }
  });

  test('that wants a password, evicts, or is a replica', async () => {
    const other = await startRedisServer();
    const admin = await connectRedis(other.url, { name: 'test', onError: () => {} });
    try {
      await admin.config('SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru');
      expect(troubles(await doctor({ redis: { url: other.url } }))).toEqual([
        SHARDS_UNSERVED,
        'problem: redis eviction',
      ]);
      await admin.config('SET', 'maxmemory', '0');
      await admin.replicaof('127.0.0.1', redis.port);
      expect(troubles(await doctor({ redis: { url: other.url } }))).toContain('problem: redis role');
      await admin.config('SET', 'requirepass', 'x');
      expect(troubles(await doctor({ redis: { url: other.url } }))).toContain('problem: redis credentials');
    } finally {
      admin.disconnect();
      await other.stop();
    }
  });
});

describe('an Asterisk', () => {
  test('without chan_websocket is a problem for WebSocket media legs', async () => {
    await asterisk.cli('module unload chan_websocket.so');
    expect(troubles(await doctor())).toEqual([SHARDS_UNSERVED]);
    const findings = await doctor({ relay: { transport: 'websocket' } });
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'modules', level: 'problem', found: 'not loaded: chan_websocket.so' }),
    );
    await asterisk.cli('module load chan_websocket.so');
  });

  test('without ARI still tells that it is Asterisk', async () => {
    const loaded = [...(await asterisk.cli('module show like res_ari')).matchAll(/^(res_ari\w*\.so)/gm)];
    const modules = loaded.map(([name]) => name).filter((name) => !/^res_ari(_model)?\.so$/.test(name));
    for (const name of [...modules, 'res_ari.so']) await asterisk.cli(`module unload ${name}`);
    expect(await doctor()).toContainEqual(
      expect.objectContaining({ check: 'ari', level: 'problem', found: expect.stringMatching(/has no ARI$/) }),
    );
  });
});
