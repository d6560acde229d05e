import { placeLocalCall } from '@callfleet/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startTestFleet } from './test-fleet.ts';

const CALLS = 200;

test('two hundred calls of one worker that dies all go on in another, and each comes to its own end', async () => {
  // A slow machine needs its time for so many at once.
  const gateway = { claimTimeoutMs: 20_000 };
  const system = await startTestFleet({ workers: 1, config: { gateway, worker: { drainMs: 0 } } });
  onTestFinished(() => system.stop());
  const callers = Array.from({ length: CALLS }, (_, n) => String(30_000 + n));
  const begun = new Set<string>();
  system.bus.nc.subscribe('cf.cmd.>', {
    callback: (_error, message) => {
      const { kind, call } = message.json<{ kind: string; call: string }>();
      if (kind === 'ari') begun.add(call);
    },
  });
  for (const [n, from] of callers.entries()) {
    const pbx = system.pbxs[n % system.pbxs.length];
    if (!pbx) throw new Error('no PBX');
    await placeLocalCall(pbx, { extension: from, from });
  }
  await expect.poll(() => begun.size, { timeout: 45_000 }).toBe(CALLS);
  await system.fleet.addWorker('worker-2', {});
  const [first] = system.fleet.workers;
  await first?.kill();

  const records = await Promise.all(callers.map((caller) => system.recordOf(caller, 90_000)));
  for (const record of records) {
    expect(record, record.error?.message).not.toHaveProperty('error');
    expect(record).toMatchObject({ program: { name: 'beats' }, endedBy: 'program', takeovers: 1 });
    expect(record.workers).toEqual([expect.stringMatching(/^worker-1/), expect.stringMatching(/^worker-2/)]);
  }
  await system.expectNothingLeft();
}, 180_000);
