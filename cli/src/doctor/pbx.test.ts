import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { loadConfig } from '@callfleet/config';
import { afterEach, describe, expect, test } from 'vitest';
import { closeServer, configOf, type FakePbxOptions, listen, PASSWORD, startFakePbx } from './fake-pbx.ts';
import type { Finding } from './finding.ts';
import { examinePbx } from './pbx.ts';

const LIMIT_MS = 2000;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function fakePbx(options: FakePbxOptions = {}) {
  const pbx = await startFakePbx(options);
  closers.push(() => pbx.close());
  return pbx;
}

async function serve(server: Server): Promise<string> {
  closers.push(() => closeServer(server));
  return listen(server);
}

async function examine(
  { url, password = PASSWORD }: { url: string; password?: string },
  env: NodeJS.ProcessEnv = {},
  limitMs = LIMIT_MS,
): Promise<Finding[]> {
  const config = configOf([{ url, password }], env);
  const [entry] = config.pbxs;
  if (entry === undefined) throw new Error('no PBX');
  return (await examinePbx(config, entry, limitMs)).findings;
}

const about = (findings: readonly Finding[], check: string) => findings.filter((finding) => finding.check === check);
const troubles = (findings: readonly Finding[]) =>
  findings.filter(({ level }) => level !== 'ok').map(({ check, level }) => `${level}: ${check}`);

describe('a PBX', () => {
  test('that is set up and served has nothing but good findings', async () => {
    const pbx = await fakePbx({ served: ['callfleet-1', 'callfleet-2'] });
    const findings = await examine(pbx);
    expect(troubles(findings)).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual([
      'reachable',
      'ari password',
      'version',
      'ari user',
      'modules',
      'event socket',
      'shards',
      'clock',
    ]);
  });

  test('is never disturbed: the event socket registers a throw-away application', async () => {
    const pbx = await fakePbx();
    await examine(pbx);
    expect(pbx.registered).toHaveLength(1);
    expect(pbx.registered[0]).toMatch(/^callfleet-doctor-/);
  });
});

describe('a PBX that cannot be used is told apart:', () => {
  test('nothing listens', async () => {
    const server = createServer();
    const url = await listen(server);
    await closeServer(server);
    expect(await examine({ url })).toMatchObject([{ check: 'reachable', found: expect.stringMatching(/refuses/) }]);
  });

  test('no answer in time', async () => {
    const url = await serve(createServer((socket) => socket.on('error', () => {}).resume()));
    const findings = await examine({ url }, {}, 300);
    expect(findings).toMatchObject([{ check: 'reachable', found: expect.stringMatching(/does not answer/) }]);
  });

  test('the connection is closed, as by a full session table', async () => {
    const url = await serve(createServer((socket) => socket.destroy()));
    expect(await examine({ url })).toMatchObject([{ check: 'reachable', mend: expect.stringMatching(/sessionlimit/) }]);
  });

  test('https on a plain port', async () => {
    const { url } = await fakePbx();
    const findings = await examine({ url: url.replace('http:', 'https:') });
    expect(findings).toMatchObject([{ check: 'tls', found: expect.stringMatching(/does not speak TLS/) }]);
  });

  test('a wrong password', async () => {
    const { url } = await fakePbx();
    expect(troubles(await examine({ url, password: 'wrong' }))).toEqual(['problem: ari password']);
  });

  test('Asterisk without ARI', async () => {
    const page = createHttpServer((_, response) => {
      response.writeHead(404, { server: 'Asterisk/22.10.1', 'content-type': 'text/html' }).end('Not Found');
    });
    const findings = await examine({ url: await serve(page) });
    expect(findings).toMatchObject([{ check: 'ari', found: expect.stringMatching(/has no ARI/) }]);
  });

  test("ARI below http.conf's prefix", async () => {
    const { url } = await fakePbx({ prefix: 'asterisk' });
    expect(await examine({ url })).toMatchObject([{ check: 'ari', mend: expect.stringMatching(/^add \/asterisk/) }]);
    expect(about(await examine({ url: `${url}/asterisk` }), 'ari password')).toMatchObject([{ level: 'ok' }]);
  });

  test('another web server, whatever it answers', async () => {
    for (const status of [200, 404]) {
      const page = createHttpServer((_, response) => {
        response.writeHead(status, { server: 'nginx', 'content-type': 'text/html' }).end('<html>');
      });
      const findings = await examine({ url: await serve(page) });
      expect(findings).toMatchObject([{ check: 'ari', found: expect.stringMatching(/answered by nginx/) }]);
    }
  });

  test('still starting', async () => {
    const page = createHttpServer((_, response) => void response.writeHead(503).end());
    const findings = await examine({ url: await serve(page) });
    expect(findings).toMatchObject([{ check: 'reachable', found: expect.stringMatching(/starting/) }]);
  });
});

describe('a PBX that lacks something:', () => {
  test('a read-only ARI user', async () => {
    expect(troubles(await examine(await fakePbx({ readOnly: true })))).toContain('problem: ari user');
  });

  test('no event socket', async () => {
    expect(troubles(await examine(await fakePbx({ eventSocket: false })))).toContain('problem: event socket');
  });

  test('shards that nobody serves, all or one', async () => {
    const [none] = about(await examine(await fakePbx()), 'shards');
    expect(none).toMatchObject({ level: 'warning', found: expect.stringMatching(/fallback/) });
    const [one] = about(await examine(await fakePbx({ served: ['callfleet-2'] })), 'shards');
    expect(one).toMatchObject({ level: 'warning', found: 'nobody serves callfleet-1' });
  });

  test("a module of the relay's transport, and only of that", async () => {
    const pbx = await fakePbx({ notLoaded: ['chan_websocket.so'] });
    expect(about(await examine(pbx), 'modules')).toMatchObject([{ level: 'ok' }]);
    expect(about(await examine(pbx, { CALLFLEET_RELAY__TRANSPORT: 'websocket' }), 'modules')).toMatchObject([
      { level: 'problem', found: 'not loaded: chan_websocket.so' },
    ]);
  });

  test("a module of the printed dialplan: a warning, since the user's own may not need it", async () => {
    const findings = await examine(await fakePbx({ notLoaded: ['func_rand.so'] }));
    expect(about(findings, 'modules')).toMatchObject([{ level: 'warning' }]);
  });

  test('the right time', async () => {
    const [fast] = about(await examine(await fakePbx({ clockAheadMs: 60_000 })), 'clock');
    expect(fast).toMatchObject({ level: 'warning', found: expect.stringMatching(/^(59\.\d|60\.0) s ahead/) });
    const [slow] = about(await examine(await fakePbx({ clockAheadMs: -60_000 })), 'clock');
    expect(slow?.found).toMatch(/ behind /);
    expect(about(await examine(await fakePbx({ clockAheadMs: 1500 })), 'clock')).toMatchObject([{ level: 'ok' }]);
  });
});

describe('a version', () => {
  const versionFindings = async (version: string, env: NodeJS.ProcessEnv = {}) =>
    about(await examine(await fakePbx({ version }), env), 'version');

  test('that is new enough for everything', async () => {
    expect(await versionFindings('22.10.1')).toMatchObject([{ level: 'ok' }]);
  });

  test('without REST over WebSocket works, slower, and lets read-only users write', async () => {
    const found = (await versionFindings('20.11.0')).map((finding) => `${finding.level} ${finding.found}`);
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(/^warning .*plain HTTP/);
    expect(found[1]).toMatch(/^warning .*GHSA-wcvv-g26m-wx5c/);
  });

  test('without JSON control is a problem for WebSocket media legs alone', async () => {
    const websocket = await versionFindings('22.7.0', { CALLFLEET_RELAY__TRANSPORT: 'websocket' });
    expect(websocket[0]).toMatchObject({ level: 'problem', found: expect.stringMatching(/chan_websocket/) });
    expect((await versionFindings('22.7.0')).map(({ level }) => level)).not.toContain('problem');
  });

  test('below 20 is not tested', async () => {
    expect((await versionFindings('18.20.0'))[0]?.found).toMatch(/not tested below 20/);
  });
});

describe('a PBX that dials the gateways', () => {
  const dialling = async (version: string | undefined) => {
    const url = version === undefined ? undefined : (await fakePbx({ version })).url;
    const pbx = { name: 'pbx-a', mode: 'outbound', username: 'callfleet', password: PASSWORD, ...(url && { url }) };
    const config = loadConfig({
      env: { CALLFLEET_PBXS: JSON.stringify([pbx]), CALLFLEET_GATEWAY__LISTEN: '{ port: 8443 }' },
    });
    const [entry] = config.pbxs;
    if (entry === undefined) throw new Error('no PBX');
    return (await examinePbx(config, entry, LIMIT_MS)).findings;
  };

  test('is told that it may crash, whatever its version, and its shards are not looked for', async () => {
    const findings = await dialling('22.10.1');
    expect(about(findings, 'outbound')).toMatchObject([
      { level: 'warning', found: expect.stringMatching(/may crash/) },
    ]);
    expect(about(findings, 'shards')).toEqual([]);
  });

  test('cannot be of a version that does not dial', async () => {
    expect(about(await dialling('20.14.0'), 'outbound')).toMatchObject([{ level: 'problem' }]);
    expect(about(await dialling('22.5.0'), 'outbound')).toMatchObject([{ level: 'warning' }]);
  });

  test('cannot be tried without a url', async () => {
    expect(await dialling(undefined)).toMatchObject([{ level: 'warning', check: 'outbound' }]);
  });
});
