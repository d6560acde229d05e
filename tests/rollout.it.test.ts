import { placeCall } from '@callfleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { hearAgain, talkingCallers } from './talking-callers.ts';
import { startTestFleet, type TestFleet } from './test-fleet.ts';
import { TypingCallers } from './typing-callers.ts';

let system: TestFleet;
afterEach(() => system?.stop());

async function placeTyping(count: number) {
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const pbx = system.pbxs[n % system.pbxs.length];
      if (!pbx) throw new Error('no PBX');
      const from = String(8800 + n);
      const call = await placeCall({ to: pbx.sipAddress, extension: '501', from });
      await call.answered;
      return { call, from };
    }),
  );
}

test('everything is replaced under live calls, one after another: no call is dropped, no digit is lost', async () => {
  system = await startTestFleet({ config: { worker: { drainMs: 0 } } });
  const { fleet } = system;
  const calls = await talkingCallers(system);
  const typing = new TypingCallers(await placeTyping(4));
  typing.start();
  for (const worker of [...fleet.workers]) {
    await fleet.addWorker(`${worker.name}-next`, {});
    expect(await worker.stop()).toBe(0);
  }
  for (const gateway of [...fleet.gateways]) {
    await fleet.addGateway(`${gateway.name}-next`);
    expect(await gateway.stop()).toBe(0);
  }
  for (const relay of [...fleet.relays]) {
    await fleet.replaceRelay(relay.name, `${relay.name}-next`);
    expect(await relay.stop()).toBe(0);
  }
  await typing.expectAllTold(system);
  await hearAgain(system, calls, 'next', { takeovers: expect.any(Number) });
  await system.expectNothingLeft();
}, 240_000);
