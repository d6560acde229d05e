import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import { loadConfig, type ServiceName } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'callfleet-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PBX = `pbxs:
  - name: pbx-a
    url: http://127.0.0.1:8088
    username: callfleet
    password: s3cret
`;

function load(yaml: string, env: NodeJS.ProcessEnv = {}) {
  const file = join(folder, 'callfleet.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ file, env });
}

function problemsOf(yaml: string, env: NodeJS.ProcessEnv = {}): readonly string[] {
  try {
    load(yaml, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('a configuration', () => {
  test('needs a PBX and nothing else', () => {
    const config = load(PBX);
    expect(config.pbxs[0]?.shards).toEqual(['callfleet-1', 'callfleet-2']);
    expect(config.nats.servers).toEqual(['127.0.0.1:4222']);
    expect(config.relay.rtp.portMax).toBe(29_999);
  });

  test('finds program files beside itself', () => {
    const config = load(`${PBX}programs:\n  - { name: ivr, file: ./ivr.ts, extensions: ["100"] }\n`);
    expect(config.programs[0]?.file).toBe(join(folder, 'ivr.ts'));
  });

  test('may have a program in two versions, one of them for no new calls', () => {
    const { programs } = load(`${PBX}programs:
  - { name: ivr, version: "2.0", file: ./ivr.ts, extensions: ["100"] }
  - { name: ivr, version: "1.9", file: ./old/ivr.ts, extensions: [] }\n`);
    expect(programs.map(({ name, version }) => `${name} ${version}`)).toEqual(['ivr 2.0', 'ivr 1.9']);
  });

  test('takes secrets from the environment', () => {
    const yaml = PBX.replace('s3cret', '${PBX_A_PASSWORD}');
    expect(load(yaml, { PBX_A_PASSWORD: 'from-env' }).pbxs[0]?.password).toBe('from-env');
    expect(problemsOf(yaml)).toEqual(['pbxs[0].password: the environment variable PBX_A_PASSWORD is not set']);
  });

  test('is overridden by the environment', () => {
    const config = load(PBX, {
      CALLFLEET_RELAY__MAX_SESSIONS: '7',
      CALLFLEET_NATS__SERVERS: '[a:1, b:2]',
      CALLFLEET_INSTANCE: 'worker-1',
    });
    expect(config.relay.maxSessions).toBe(7);
    expect(config.nats.servers).toEqual(['a:1', 'b:2']);
  });

  test('may come from the environment alone', () => {
    const config = loadConfig({
      env: { CALLFLEET_PBXS: '[{name: a, url: "http://a:8088", username: u, password: p}]' },
    });
    expect(config.pbxs[0]?.name).toBe('a');
  });
});

describe('of the secrets in a file', () => {
  const FILE = `${PBX.replace('s3cret', '${file:pbx-a-password}')}nats:
  nkeyFile: secrets/nats-\${service}.nk
redis: { url: "redis://callfleet-\${service}:\${file:redis-\${service}}@redis:6379" }
`;
  const keep = (...names: string[]) => {
    for (const name of names) writeFileSync(join(folder, name), `secret of ${name}\n`.replaceAll(' ', '-'));
  };
  const read = (service?: ServiceName, env: NodeJS.ProcessEnv = {}, more = '') => {
    const file = join(folder, 'callfleet.yaml');
    writeFileSync(file, FILE + more);
    return loadConfig({ file, env, service });
  };
  afterEach(() => {
    for (const name of ['pbx-a-password', 'redis-gateway', 'redis-worker', 'redis-operator'])
      rmSync(join(folder, name), { force: true });
  });

  test('each service reads its own, and needs no others', () => {
    keep('pbx-a-password', 'redis-gateway');
    expect(read('gateway')).toMatchObject({
      nats: { nkeyFile: join(folder, 'secrets/nats-gateway.nk') },
      redis: { url: 'redis://callfleet-gateway:secret-of-redis-gateway@redis:6379' },
      pbxs: [{ password: 'secret-of-pbx-a-password' }],
    });
    rmSync(join(folder, 'pbx-a-password'));
    keep('redis-worker');
    expect(read('worker').redis.url).toBe('redis://callfleet-worker:secret-of-redis-worker@redis:6379');
    rmSync(join(folder, 'redis-worker'));
    for (const service of ['relay', 'operator'] as const)
      expect(JSON.stringify(read(service))).not.toContain('secret-of');
  });

  test('what a service needs and has not is an error', () => {
    keep('redis-worker');
    expect(() => read('relay', {}, 'relay: { providers: { openai: { maxSessions: 5 } } }\n')).toThrow(
      /redis\.url: the file of \$\{file:redis-relay\} can't be read/,
    );
    expect(() => read('gateway')).toThrow(/pbxs\[0\]\.password: .*redis\.url: |redis\.url: .*pbxs\[0\]\.password: /s);
    expect(() => read('worker')).not.toThrow();
    expect(() => read('relay', {}, 'relay: { websocket: { listen: { port: 8089 } } }\n')).toThrow(
      /pbxs\[0\]\.password: the file of \$\{file:pbx-a-password\} can't be read/,
    );
  });

  test('who reads the file for all of it is the operator, or whom $CALLFLEET_SERVICE names', () => {
    keep('pbx-a-password', 'redis-operator', 'redis-gateway');
    expect(read().redis.url).toContain('callfleet-operator:secret-of-redis-operator@');
    expect(read(undefined, { CALLFLEET_SERVICE: 'gateway' }).redis.url).toContain('callfleet-gateway:');
  });

  test('who only shows what is configured reads those that it names', () => {
    const file = join(folder, 'callfleet.yaml');
    writeFileSync(
      file,
      FILE.replace('nats:', 'nats:\n  user: ${NATS_USER}\n  password: ${file:none}').replace(/ +nkey.*/, ''),
    );
    const nothing = loadConfig({ file, env: {}, secrets: [] });
    expect([nothing.pbxs[0]?.password, nothing.nats.password, nothing.redis.url]).toEqual([
      ...['unread', 'unread', 'rediss://unread'],
    ]);
    expect(() => loadConfig({ file, env: {}, secrets: ['pbxs[].password'] })).toThrow(
      /not usable:\n {2}pbxs\[0\]\.password: the file of \$\{file:pbx-a-password\} can't be read \(ENOENT\)$/,
    );
    keep('pbx-a-password');
    expect(loadConfig({ file, env: {}, secrets: ['pbxs[].password'] }).pbxs[0]?.password).toBe(
      'secret-of-pbx-a-password',
    );
  });

  test('those that the environment’s keys name are read too', () => {
    keep('redis-worker');
    const env = { CALLFLEET_REDIS__URL: 'redis://:${file:redis-worker}@other:6379' };
    expect(read('worker', env).redis.url).toBe('redis://:secret-of-redis-worker@other:6379');
  });
});

describe('a wrong configuration is refused with the path and what is accepted:', () => {
  test('an unknown key', () => {
    expect(problemsOf(`${PBX}redis:\n  uri: redis://x\n`)).toEqual(['redis: unknown key "uri"; accepted: url, tls']);
  });

  test('an unknown environment variable', () => {
    expect(problemsOf(PBX, { CALLFLEET_RELAY__MAXIMUM: '1' })[0]).toMatch(/^relay: unknown key "maximum"; accepted: /);
  });

  test('a wrong type', () => {
    expect(problemsOf(`${PBX}worker:\n  maxCalls: many\n`)[0]).toMatch(/^worker\.maxCalls: .*expected/);
  });

  test('two PBXs with one name', () => {
    expect(problemsOf(PBX + PBX.replace('pbxs:\n', ''))).toEqual([
      'pbxs[1].name: "pbx-a" is taken by entry 0; each must be unique',
    ]);
  });

  test('audio that the transport does not carry', () => {
    const relay = (transport: string, format: string) =>
      `${PBX}relay: { transport: ${transport}, format: ${format} }\n`;
    expect(load(relay('audiosocket', 'slin16')).relay.format).toBe('slin16');
    expect(problemsOf(relay('audiosocket', 'ulaw'))).toEqual([
      'relay.format: must be one of slin, slin16, slin24, slin48 with audiosocket',
    ]);
    expect(problemsOf(relay('rtp', 'slin16'))).toEqual(['relay.format: must be one of ulaw, alaw, slin with rtp']);
  });

  test('fewer ports than the threads of a relay need', () => {
    const relay = (portMax: number) => `${PBX}relay: { threads: 3, rtp: { portMin: 20001, portMax: ${portMax} } }\n`;
    expect(load(relay(20_007)).relay.threads).toBe(3);
    expect(problemsOf(relay(20_006))).toEqual([
      'relay.rtp.portMax: must be at least 20007: each of relay.threads (3) needs two ports of its own',
    ]);
    expect(problemsOf(`${PBX}relay: { threads: 3, transport: audiosocket, audiosocket: { port: 65534 } }\n`)).toEqual([
      'relay.audiosocket.port: must be at most 65533: each of relay.threads (3) has one, from this on',
    ]);
    expect(problemsOf(`${PBX}relay: { threads: 65 }\n`)[0]).toMatch(/^relay\.threads: /);
  });

  test('a url with credentials in it', () => {
    expect(problemsOf(PBX.replace('http://', 'HTTP://me:secret@'))).toEqual([
      'pbxs[0].url: must hold no credentials: give username and password',
    ]);
  });

  test('a trunk that is not the same on two PBXs, or dials no number', () => {
    const trunks = (maxCalls: number) =>
      `    trunks: [{ name: a, endpoint: "PJSIP/{number}@a", maxCalls: ${maxCalls} }]\n`;
    const other = PBX.replace('pbxs:\n', '').replace('pbx-a', 'pbx-b');
    expect(load(PBX + trunks(3) + other + trunks(3)).pbxs).toHaveLength(2);
    expect(problemsOf(PBX + trunks(3) + other + trunks(4))).toEqual([
      'pbxs[1].trunks[0].maxCalls: "a" is one trunk on all PBXs: must be 3 as where it is first',
    ]);
    expect(problemsOf(PBX + trunks(3).replace('{number}', 'x'))[0]).toMatch(
      /^pbxs\[0\]\.trunks\[0\]\.endpoint: must be/,
    );
  });

  test('a version that is no word', () => {
    expect(problemsOf(`${PBX}programs: [{ name: ivr, version: "2 0", file: x, extensions: [] }]\n`)[0]).toMatch(
      /^programs\[0\]\.version: must be 1 to 32 of/,
    );
  });

  test('two ways to show NATS who we are', () => {
    expect(problemsOf(`${PBX}nats: { user: a, password: b, nkeyFile: c }\n`)).toEqual([
      'nats.nkeyFile: must be left out where there is nats.user',
    ]);
  });

  test('certificates for a Redis without TLS', () => {
    expect(problemsOf(`${PBX}redis: { url: "redis://a:6379", tls: { caFile: ca.crt } }\n`)).toEqual([
      'redis.url: must be a rediss:// URL where there is redis.tls',
    ]);
    const { nats, redis } = load(
      `${PBX}redis: { url: "rediss://a:6379", tls: { caFile: ca.crt } }\nnats: { tls: { caFile: /etc/ca.crt } }\n`,
    );
    expect([redis.tls?.caFile, nats.tls?.caFile], 'relative to the file').toEqual([
      join(folder, 'ca.crt'),
      '/etc/ca.crt',
    ]);
  });

  test('a value outside its choices', () => {
    expect(problemsOf(`${PBX}relay:\n  transport: carrier-pigeon\n`)[0]).toMatch(
      /^relay\.transport: .*"websocket".*"rtp"/,
    );
  });

  test('a range that is upside down', () => {
    expect(problemsOf(`${PBX}relay:\n  rtp: { portMin: 3000, portMax: 2000 }\n`)).toEqual([
      'relay.rtp.portMax: must be above portMin',
    ]);
  });

  test('no YAML, no file', () => {
    expect(problemsOf('pbxs: [')[0]).toMatch(/flow/i);
    expect(() => loadConfig({ file: join(folder, 'none.yaml'), env: {} })).toThrow(/can't be read/);
  });

  test('and all problems are told at once', () => {
    expect(problemsOf('nats: { servers: 4 }\nup: { gateways: 0 }\n')).toHaveLength(3);
  });
});

describe('a PBX that dials the gateways', () => {
  const load = (pbx: object, gateway: object = {}) =>
    loadConfig({
      env: {
        CALLFLEET_PBXS: JSON.stringify([{ name: 'a', username: 'u', password: 'p', ...pbx }]),
        CALLFLEET_GATEWAY: JSON.stringify(gateway),
      },
    });

  test('needs no url, but a place to dial', () => {
    const listen = { port: 8443 };
    expect(load({ mode: 'outbound' }, { listen }).pbxs).toMatchObject([{ mode: 'outbound' }]);
    expect(() => load({ mode: 'outbound' })).toThrow(/gateway\.listen: a \(mode: outbound\) must dial somewhere/);
  });

  test('is none by default, and then a url is needed', () => {
    expect(load({ url: 'http://a:8088' }).pbxs).toMatchObject([{ mode: 'classic' }]);
    expect(() => load({})).toThrow(/pbxs\[0\]\.url: is needed/);
  });
});
