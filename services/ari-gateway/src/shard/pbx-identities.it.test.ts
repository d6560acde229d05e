import { connectRedis, type LeaseRedis } from '@callfleet/leases';
import { createLogger } from '@callfleet/telemetry';
import { type RedisServer, startRedisServer } from '@callfleet/testkit';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { PbxIdentities } from './pbx-identities.ts';

const ID = '02:00:00:00:00:01';
const OTHER = '02:00:00:00:00:02';

let server: RedisServer;
let redis: LeaseRedis;
/** The configuration of all gateways. */
let pbxs: string[];

beforeAll(async () => {
  server = await startRedisServer();
  redis = await connectRedis(server.url, { name: 'test', onError: () => {} });
});
beforeEach(async () => {
  pbxs = ['pbx-a', 'pbx-b'];
  await redis.flushall();
});
afterAll(async () => {
  await redis?.quit();
  await server?.stop();
});

function gateway(heard: (entityId: string) => string | undefined = () => undefined): PbxIdentities {
  const identities = new PbxIdentities({
    redis,
    heardOwner: heard,
    isConfigured: (pbx) => pbxs.includes(pbx),
    log: createLogger('test', 'test', { level: 'silent', format: 'json' }),
  });
  onTestFinished(() => identities.close());
  return identities;
}

const TAKEN = { code: 'CF_PBX_IDENTITY_TAKEN', owner: 'pbx-a' };

test('an Asterisk is one PBX on all gateways: the first that shows its entityid', async () => {
  const [one, two] = [gateway(), gateway()];
  await one.claim('pbx-a', ID);
  await two.claim('pbx-a', ID);
  await expect(one.claim('pbx-b', ID)).rejects.toMatchObject(TAKEN);
  await expect(two.claim('pbx-b', ID)).rejects.toThrow(/its entityid 02:00:00:00:00:01 is that of pbx-a/);
  await two.claim('pbx-b', OTHER);
});

test('two that show it at the same moment: one of them has it', async () => {
  const [one, two] = [gateway(), gateway()];
  const claims = await Promise.allSettled([one.claim('pbx-a', ID), two.claim('pbx-b', ID), one.claim('pbx-b', ID)]);
  expect(claims.map(({ status }) => status)).toContain('fulfilled');
  await expect(Promise.all([one.claim('pbx-a', ID), one.claim('pbx-b', ID)])).rejects.toMatchObject({
    code: 'CF_PBX_IDENTITY_TAKEN',
  });
});

test('it is free again when its PBX is taken out of the configuration, or is another Asterisk now', async () => {
  const [one, two] = [gateway(), gateway()];
  await one.claim('pbx-a', ID);
  await expect(two.claim('pbx-b', ID)).rejects.toMatchObject(TAKEN);
  pbxs = ['pbx-b'];
  await two.claim('pbx-b', ID);
  pbxs = ['pbx-a', 'pbx-b'];
  await two.claim('pbx-b', OTHER);
  await one.claim('pbx-a', ID);
});

test('two PBXs that change places get each what the other had', async () => {
  const one = gateway();
  await one.claim('pbx-a', ID);
  await one.claim('pbx-b', OTHER);
  // Both urls were changed.
  await Promise.all([one.forget('pbx-a'), one.forget('pbx-b')]);
  await one.claim('pbx-a', OTHER);
  await one.claim('pbx-b', ID);
});

test('Redis that forgot it is told again; until then what others tell counts', async () => {
  const [one, two] = [gateway(), gateway((entityId) => (entityId === ID ? 'pbx-a' : undefined))];
  await one.claim('pbx-a', ID);
  await redis.flushall();
  await expect(two.claim('pbx-b', ID)).rejects.toMatchObject(TAKEN);
  await one.assertAll();
  await expect(gateway().claim('pbx-b', ID)).rejects.toMatchObject(TAKEN);
});
