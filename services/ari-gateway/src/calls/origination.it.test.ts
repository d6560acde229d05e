import { type Bus, connectBus, type OriginateRequest, originateCall, subjects } from '@callfleet/bus';
import { callIdOf, originatedChannelId } from '@callfleet/identity';
import { createLogger } from '@callfleet/telemetry';
import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LiveCalls } from './live-call.ts';
import { Origination } from './origination.ts';

const log = createLogger('test', 'test', { level: 'silent', format: 'json' });

let nats: NatsServer;
let gateway: Bus;
let asker: Bus;
let placed = 0;

beforeAll(async () => {
  nats = await startNatsServer();
  [gateway, asker] = (await Promise.all(
    ['gateway', 'asker'].map((name) => connectBus({ servers: [nats.url], name })),
  )) as [Bus, Bus];
});
afterAll(async () => {
  await gateway?.close();
  await asker?.close();
  await nats?.stop();
});

/** On one shard of the PBX; every request that is taken on is refused, since the PBX fails originates. */
function originationOf(shard: string): Origination {
  return new Origination({
    ...{ bus: gateway, gateway: `gateway of ${shard}`, shard, calls: new LiveCalls(), log, claimTimeoutMs: 1000 },
    pbx: { name: 'pbx-a', zone: 'a', pool: 'default', trunks: [] },
    ...{ offers: undefined as never, places: undefined as never, isBroken: () => true },
  });
}

function place(): Promise<string> {
  placed += 1;
  const call = callIdOf('pbx-a', originatedChannelId(`${placed}`));
  const request: OriginateRequest = { call, program: 'p', to: 'PJSIP/alice', ringTimeoutMs: 1000, variables: {} };
  return asker.nc.request(subjects.originate('pbx-a'), JSON.stringify(request), { timeout: 5000 }).then(
    (reply) => reply.json<{ code: string }>().code,
    ({ message }: Error) => message,
  );
}

test('whoever asks while a shard is let go is told so, at once', async () => {
  const origination = originationOf('callfleet-1');
  origination.start();
  await gateway.nc.flush();
  const asking = Array.from({ length: 400 }, () => place());
  origination.stop();
  for (const code of await Promise.all(asking)) expect(code).toMatch(/CF_SHARD_NOT_HELD|no responders/);
});

test('a call is placed on another shard of the PBX when the one that was asked is let go', async () => {
  const [first, second] = [originationOf('callfleet-1'), originationOf('callfleet-2')];
  first.start();
  await gateway.nc.flush();
  const asking = Array.from({ length: 20 }, () =>
    originateCall(asker, { program: 'p', to: 'PJSIP/alice', pbxs: [{ name: 'pbx-a', weight: 1 }] }).catch(
      (error: Error) => error.message,
    ),
  );
  first.stop();
  second.start();
  // Taken on there, and refused for a reason of its own.
  for (const why of await Promise.all(asking)) expect(why).toContain('fails originates');
  second.stop();
});
