import { connectBus, ensureStreams } from '@callfleet/bus';
import { connectRedis } from '@callfleet/leases';
import {
  createPrivateAuthority,
  type NatsServer,
  type PrivateAuthority,
  type RedisServer,
  startNatsServer,
  startRedisServer,
} from '@callfleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let authority: PrivateAuthority;

beforeAll(async () => {
  authority = await createPrivateAuthority();
});
afterAll(() => authority?.remove());

interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

const trusting = (): TlsFiles => ({ caFile: authority.server.caFile });

describe.each(['any', 'certified'] as const)('with an authority of our own, and %s clients,', (clients) => {
  let nats: NatsServer;
  let redis: RedisServer;
  beforeAll(async () => {
    const { caFile, certFile, keyFile } = authority.server;
    const files = `cert_file: "${certFile}", key_file: "${keyFile}", ca_file: "${caFile}"`;
    [nats, redis] = await Promise.all([
      startNatsServer({ config: `tls { ${files}, verify: ${clients === 'certified'} }` }),
      startRedisServer({ tls: { ...authority.server, clients } }),
    ]);
  });
  afterAll(() => Promise.all([nats?.stop(), redis?.stop()]));

  /** Whether each can be reached and used; else the error's code. */
  async function reach(tls?: TlsFiles): Promise<{ nats: string; redis: string }> {
    const toNats = async () => {
      const bus = await connectBus({ servers: [nats.url], name: 'test', tls, connectTimeoutMs: 2000 });
      await ensureStreams(bus);
      await bus.close();
      return 'ok';
    };
    const toRedis = async () => {
      const client = await connectRedis(redis.url, { name: 'test', tls, connectTimeoutMs: 2000, onError: () => {} });
      const answer = await client.set('x', '1');
      client.disconnect();
      return answer.toLowerCase();
    };
    const [one, other] = await Promise.all(
      [toNats(), toRedis()].map((tried) => tried.catch((error: Error) => error.message)),
    );
    return { nats: one ?? '', redis: other ?? '' };
  }

  test('who trusts it comes in, with a certificate where one is asked for', async () => {
    expect(await reach(clients === 'any' ? trusting() : authority.client)).toEqual({ nats: 'ok', redis: 'ok' });
  });

  test('who does not trust it does not speak to it, and says why', async () => {
    const { certFile, keyFile } = authority.client;
    expect(await reach({ certFile, keyFile })).toEqual({
      nats: expect.stringMatching(/check nats\.servers and nats\.tls, .*certificate/),
      redis: expect.stringMatching(/check redis\.url and redis\.tls, .*certificate/),
    });
  });

  test.runIf(clients === 'certified')('who has no certificate does not come in', async () => {
    expect(await reach(trusting())).toEqual({
      nats: expect.stringMatching(/^NATS at .* does not answer/),
      redis: expect.stringMatching(/^Redis at .* does not answer/),
    });
  });

  test('who speaks no TLS does not come in', async () => {
    const plain = connectRedis(redis.url.replace('rediss:', 'redis:'), {
      name: 'test',
      connectTimeoutMs: 1000,
      onError: () => {},
    });
    await expect(plain).rejects.toMatchObject({ code: 'CF_REDIS_UNREACHABLE' });
  });
});

test('a server that is not who it says it is is not spoken to', async () => {
  const { certFile, keyFile } = authority.client;
  const impostor = await startNatsServer({ config: `tls { cert_file: "${certFile}", key_file: "${keyFile}" }` });
  try {
    const connecting = connectBus({ servers: [impostor.url], name: 'test', tls: trusting(), connectTimeoutMs: 2000 });
    await expect(connecting).rejects.toMatchObject({ code: 'CF_NATS_UNREACHABLE' });
  } finally {
    await impostor.stop();
  }
});
