import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AriAccount } from './address.ts';
import { AriHttp } from './ari-http.ts';
import { AriSocket } from './ari-socket.ts';
import { AriRefusedError } from './errors.ts';
import { FakeAsterisk, type FakeRequest } from './fake-asterisk.ts';
import { bridges, channels, recordings } from './generated/operations.gen.ts';
import type { AriRequester } from './requester.ts';
import { expectOk } from './response.ts';

interface Limits {
  requestTimeoutMs?: number;
  connectTimeoutMs?: number;
  maxInFlight?: number;
  ca?: string;
}

interface Opened extends AriRequester {
  readonly inFlight: number;
  close(): Promise<void>;
}

const ways = [
  {
    way: 'over the event socket',
    open: (account: AriAccount, limits: Limits = {}): Promise<Opened> =>
      AriSocket.connect({ ...account, ...limits, apps: ['bot'], onEvent: () => {} }),
  },
  {
    way: 'over HTTP',
    open: async (account: AriAccount, limits: Limits = {}): Promise<Opened> => new AriHttp({ ...account, ...limits }),
  },
];

let fake: FakeAsterisk;
beforeEach(async () => {
  fake = await FakeAsterisk.start();
});
afterEach(() => fake.stop());

describe.each(ways)('a request $way', ({ open }) => {
  test('arrives with its ids, its query and its body, whatever characters they hold', async () => {
    const asked: FakeRequest[] = [];
    fake.handler = (request) => {
      asked.push(request);
      return { status: 200, json: { id: 'x' } };
    };
    const ari = await open(fake.account);
    const bridgeId = 'pbx-a.1763.2=2D~bridge1/ü?';
    await ari.request(bridges.createWithId({ bridgeId, type: 'mixing', name: 'a b&c=d%7E', variables: { A: 'ä' } }));
    expect(asked).toEqual([
      {
        method: 'POST',
        path: `bridges/${encodeURIComponent(bridgeId)}`,
        query: { type: 'mixing', name: 'a b&c=d%7E' },
        body: { variables: { A: 'ä' } },
      },
    ]);
    await ari.close();
  });

  test('gives the body of a 2xx answer, and none for 204', async () => {
    fake.handler = ({ method }) =>
      method === 'DELETE'
        ? { status: 204, reason: 'No Content' }
        : { status: 201, reason: 'Created', json: { id: 'p1' } };
    const ari = await open(fake.account);
    const played = await ari.request(channels.play({ channelId: '1.2', media: 'sound:hi' }));
    expect(played).toMatchObject({ ok: true, status: 201, reason: 'Created', route: '/channels/{channelId}/play' });
    expect(expectOk(played).id).toBe('p1');
    expect(expectOk(await ari.request(channels.hangup({ channelId: '1.2' })))).toBeUndefined();
    await ari.close();
  });

  test('that Asterisk refuses is answered, not thrown; expectOk throws it', async () => {
    fake.handler = () => ({ status: 404, reason: 'Not Found', json: { message: 'Channel not found' } });
    const ari = await open(fake.account);
    const response = await ari.request(channels.answer({ channelId: 'gone' }));
    expect(response).toMatchObject({ ok: false, status: 404, refusal: 'Channel not found' });
    expect(() => expectOk(response)).toThrow(AriRefusedError);
    expect(() => expectOk(response)).toThrow(
      expect.objectContaining({
        code: 'CF_ARI_REFUSED',
        status: 404,
        refusal: 'Channel not found',
        method: 'POST',
        route: '/channels/{channelId}/answer',
        mayHaveRun: false,
      }),
    );
    await ari.close();
  });

  test('without a message in the refusal has the reason phrase', async () => {
    fake.handler = () => ({ status: 500, reason: 'Internal Server Error' });
    const ari = await open(fake.account);
    const response = await ari.request(channels.list());
    expect(response).toMatchObject({ ok: false, refusal: 'Internal Server Error', body: undefined });
    await ari.close();
  });

  test('is answered to whoever asked, in whatever order the answers come', async () => {
    const held = Promise.withResolvers<void>();
    fake.handler = async ({ path }) => {
      if (path === 'channels/slow') await held.promise;
      return { status: 200, json: { id: path } };
    };
    const ari = await open(fake.account);
    const slow = ari.request(channels.get({ channelId: 'slow' }));
    const fast = await ari.request(channels.get({ channelId: 'fast' }));
    held.resolve();
    expect(expectOk(fast).id).toBe('channels/fast');
    expect(expectOk(await slow).id).toBe('channels/slow');
    await ari.close();
  });

  test('without an answer in time fails, and may have run', async () => {
    fake.handler = () => undefined;
    const ari = await open(fake.account, { requestTimeoutMs: 30 });
    await expect(ari.request(channels.list())).rejects.toMatchObject({ code: 'CF_ARI_TIMEOUT', mayHaveRun: true });
    await expect(ari.request(channels.list(), { timeoutMs: 10 })).rejects.toThrow('within 10 ms');
    expect(ari.inFlight).toBe(0);
    await ari.close();
  });

  test('that is given up rejects with the reason', async () => {
    fake.handler = () => undefined;
    const ari = await open(fake.account);
    const reason = new Error('the call is over');
    await expect(ari.request(channels.list(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = ari.request(channels.list(), { signal: controller.signal });
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(ari.inFlight).toBe(0);
    await ari.close();
  });

  test('beyond the bound is refused at once, and cannot have run', async () => {
    const held = Promise.withResolvers<void>();
    fake.handler = () => held.promise.then(() => ({ status: 200, json: [] }));
    const ari = await open(fake.account, { maxInFlight: 2 });
    const first = [ari.request(channels.list()), ari.request(channels.list())];
    await expect(ari.request(channels.list())).rejects.toMatchObject({ code: 'CF_ARI_BUSY', mayHaveRun: false });
    held.resolve();
    await Promise.all(first);
    expect(expectOk(await ari.request(channels.list()))).toEqual([]);
    await ari.close();
  });

  test('whose connection breaks fails, and may have run', async () => {
    fake.handler = async () => {
      await fake.stop();
      fake = await FakeAsterisk.start();
      return undefined;
    };
    const ari = await open(fake.account);
    await expect(ari.request(channels.list())).rejects.toMatchObject({ code: 'CF_ARI_CLOSED', mayHaveRun: true });
    await ari.close();
  });

  test('after close() is refused, and cannot have run', async () => {
    const ari = await open(fake.account);
    await ari.close();
    await ari.close();
    await expect(ari.request(channels.list())).rejects.toMatchObject({ code: 'CF_ARI_CLOSED', mayHaveRun: false });
  });

  test('sent before close() is still answered', async () => {
    fake.handler = () => new Promise((resolve) => setImmediate(resolve, { status: 200, json: [] }));
    const ari = await open(fake.account);
    const sent = ari.request(channels.list());
    await ari.close();
    expect(expectOk(await sent)).toEqual([]);
  });

  test('answered with broken JSON fails, and may have run', async () => {
    fake.handler = () => ({ status: 200, text: '{"id":' });
    const ari = await open(fake.account);
    await expect(ari.request(channels.list())).rejects.toMatchObject({ code: 'CF_ARI_UNEXPECTED', mayHaveRun: true });
    await ari.close();
  });
});

/** Connecting, for HTTP with a first request. */
async function reach(open: (typeof ways)[number]['open'], account: AriAccount, limits?: Limits): Promise<void> {
  const ari = await open(account, limits);
  await ari.request(channels.list()).finally(() => ari.close());
}

describe.each(ways)('connecting $way', ({ way, open }) => {
  test('to a port where nobody listens', async () => {
    const { account } = fake;
    await fake.stop();
    await expect(reach(open, account)).rejects.toMatchObject({
      code: 'CF_ARI_UNREACHABLE',
      url: account.url,
      mayHaveRun: false,
      cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
    });
    fake = await FakeAsterisk.start();
  });

  test('with a wrong password', async () => {
    const account = { ...fake.account, password: 'wrong' };
    await expect(reach(open, account)).rejects.toMatchObject({ code: 'CF_ARI_UNAUTHORIZED', mayHaveRun: false });
  });

  test('to an HTTP server without ARI', async () => {
    fake.upgrade = 404;
    fake.handler = () => ({ status: 404, text: '<h1>Not Found</h1>', contentType: 'text/html' });
    await expect(reach(open, fake.account)).rejects.toMatchObject({ code: 'CF_ARI_NOT_FOUND', mayHaveRun: false });
  });

  test('to an Asterisk that is starting', async () => {
    fake.upgrade = 503;
    fake.handler = () => ({ status: 503, json: { message: 'Asterisk not booted' } });
    await expect(reach(open, fake.account)).rejects.toMatchObject({ code: 'CF_ARI_NOT_READY', mayHaveRun: false });
  });

  test('with TLS where there is none', async () => {
    const url = fake.account.url.replace('http:', 'https:');
    await expect(reach(open, { ...fake.account, url })).rejects.toMatchObject({
      code: 'CF_ARI_TLS',
      mayHaveRun: false,
    });
  });

  test('to a peer that never answers', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const account = { ...fake.account, url: `http://127.0.0.1:${port}` };
    const limits = { connectTimeoutMs: 30, requestTimeoutMs: 30 };
    await expect(reach(open, account, limits)).rejects.toMatchObject({ code: 'CF_ARI_TIMEOUT' });
    silent.close();
  });

  test.each(['ftp://pbx', 'pbx:8088', ''])('needs an http url, not %j', async (url) => {
    await expect(reach(open, { ...fake.account, url })).rejects.toThrow(TypeError);
  });

  test('takes no credentials in the url, nor shows them', async () => {
    const url = fake.account.url.replace('//', '//bot:secret@');
    await expect(reach(open, { ...fake.account, url })).rejects.toThrow(/^(?!.*secret).*credentials/);
  });

  test('honours the prefix of http.conf', async () => {
    const asked: string[] = [];
    fake.handler = ({ path }) => {
      asked.push(path);
      return { status: 200, json: [] };
    };
    await reach(open, { ...fake.account, url: `${fake.account.url}/pbx/` });
    if (way === 'over HTTP') expect(asked).toEqual(['/pbxchannels']);
    else expect(fake.upgrades[0]?.url).toBe('/pbx/ari/events?app=bot');
  });
});

test('a stored recording comes as bytes over HTTP', async () => {
  fake.handler = () => ({ status: 200, text: 'RIFF', contentType: 'audio/wav' });
  const ari = new AriHttp(fake.account);
  const file = expectOk(await ari.request(recordings.getStoredFile({ recordingName: 'r' })));
  expect(Buffer.from(file).toString()).toBe('RIFF');
  await ari.close();
});

test('a read-only user is refused by answer, not by error', async () => {
  fake.handler = () => ({ status: 403, reason: 'Forbidden', json: { message: 'Write access denied' } });
  const ari = new AriHttp(fake.account);
  expect(await ari.request(bridges.create())).toMatchObject({ status: 403, refusal: 'Write access denied' });
  await ari.close();
});

test('a request longer than a frame of Asterisk is refused on the socket, which goes on', async () => {
  fake.handler = () => ({ status: 204 });
  const socket = await AriSocket.connect({ ...fake.account, apps: ['bot'], onEvent: () => {} });
  const long = channels.setChannelVar({ channelId: '1.2', variable: 'A', value: 'x'.repeat(65_500) });
  await expect(socket.request(long)).rejects.toMatchObject({ code: 'CF_ARI_TOO_LARGE', mayHaveRun: false });
  expect(socket.inFlight).toBe(0);
  expect(await socket.request(channels.answer({ channelId: '1.2' }))).toMatchObject({ status: 204 });
  await socket.close();
});
