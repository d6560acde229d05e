import { connectRedis, type LeaseRedis } from '@callfleet/leases';
import { type RedisServer, startRedisServer } from '@callfleet/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ContendingWorkers } from './contending-workers.ts';

const WORKERS = 3;
const CALLS = 2;

let server: RedisServer;
let redis: LeaseRedis;

beforeAll(async () => {
  server = await startRedisServer();
  redis = await connectRedis(server.url, { name: 'test', onError: () => {} });
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

const worker = fc.nat(WORKERS - 1);
const call = fc.nat(CALLS - 1);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('take'), worker, call) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('race'), call) },
  { weight: 8, arbitrary: fc.tuple(fc.constant('operate'), worker, call) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('cleanUp'), worker, call) },
  { weight: 6, arbitrary: fc.tuple(fc.constant('deliver'), fc.nat(9)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('deliverAll')) },
  { weight: 6, arbitrary: fc.tuple(fc.constant('hear'), worker) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('offer'), call) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('suspend'), worker) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('runOut'), worker) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('wake'), worker) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('renew'), worker) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('kill'), worker) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('flushRedis')) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('assertLeases'), worker) },
) as fc.Arbitrary<readonly [Step, ...number[]]>;

type Step =
  | 'take'
  | 'race'
  | 'operate'
  | 'cleanUp'
  | 'deliver'
  | 'deliverAll'
  | 'hear'
  | 'offer'
  | 'suspend'
  | 'runOut'
  | 'wake'
  | 'renew'
  | 'kill'
  | 'flushRedis'
  | 'assertLeases';

async function carryOut(world: ContendingWorkers, [name, a = 0, b = 0]: readonly [Step, ...number[]]): Promise<void> {
  const callAt = (n: number) => world.calls[n] as ContendingWorkers['calls'][number];
  if (name === 'take' || name === 'operate' || name === 'cleanUp') await world[name](a, callAt(b));
  else if (name === 'race' || name === 'offer') await world[name](callAt(a));
  else await world[name](a);
}

/** How often each thing happened in all runs: a property that nothing put to the test would hold too. */
const happened = { takeovers: 0, fenced: 0, repeats: 0, effects: 0, rivals: 0 };

function expectFenced(world: ContendingWorkers): void {
  const ids = world.effects.map(({ commandId }) => commandId);
  expect(new Set(ids).size, 'at most one effect for each command, whoever sent it').toBe(ids.length);

  let refused = 0;
  for (const { command, reply, acceptedBefore, effectsOf } of world.replies) {
    const isRefused = !reply.ok && reply.code === 'CF_COMMAND_FENCED';
    if (isRefused) refused += 1;
    if (command.epoch < acceptedBefore) {
      expect(isRefused, `epoch ${command.epoch} after ${acceptedBefore} is refused`).toBe(true);
      expect(effectsOf, 'and has no effect').toBe(0);
    }
  }
  expect(world.executor.fenced, 'each refusal is counted').toBe(refused);
  for (const [epoch, workers] of world.accepted) expect([...workers], `owners under ${epoch}`).toHaveLength(1);
}

function count(world: ContendingWorkers): void {
  happened.fenced += world.executor.fenced;
  happened.effects += world.effects.length;
  happened.takeovers += world.accepted.size;
  happened.repeats += world.replies.filter(
    ({ command, reply, effectsOf }) => command.kind === 'ari' && reply.ok && effectsOf === 0,
  ).length;
  happened.rivals += world.replies.filter(
    ({ command, reply, acceptedBefore }) => command.kind === 'claim' && !reply.ok && command.epoch === acceptedBefore,
  ).length;
}

test('workers that hang, die, wake late and race, with a Redis that forgets: no operation is done twice, or for a worker that lost its call', async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
    await redis.flushall();
    const world = new ContendingWorkers(redis, WORKERS, CALLS);
    const epochs = new Map<string, number>();
    for (const each of steps) {
      await carryOut(world, each);
      for (const id of world.calls) {
        const { epoch } = world.gateway.get(id);
        expect(epoch, 'the epoch only rises').toBeGreaterThanOrEqual(epochs.get(id) ?? 0);
        epochs.set(id, epoch);
      }
    }
    expect(await world.canBeServedAnew(), 'a call whose worker died finds another').toBe(true);
    expectFenced(world);
    count(world);
  });
  await fc.assert(property, { numRuns: 400, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false });
  for (const [what, times] of Object.entries(happened)) expect(times, what).toBeGreaterThan(5);
}, 30_000);
