import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { placeCall, startPhone } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFleetSecrets, type FleetSecrets } from './fleet-secrets.ts';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

const MAIN = fileURLToPath(new URL('../cli/src/main.ts', import.meta.url));
const TRUNK = { name: 'trunk-a', endpoint: 'PJSIP/phone/sip:agent@127.0.0.1:{number}', maxCalls: 2 };

let secrets: FleetSecrets;
let system: TestFleet;

beforeAll(async () => {
  secrets = await createFleetSecrets();
  system = await startTestFleet({
    ...secrets.fleet,
    observer: {
      nats: { nkeyFile: secrets.nkeyFile('operator') },
      redis: { password: await secrets.redisPassword('admin') },
    },
    pbxs: [{ name: 'pbx-a', transport: 'rtp' }],
    pbxTrunks: [TRUNK],
    config: { worker: { drainMs: 0, sessionTtlMs: 2000 } },
  });
});
afterAll(async () => {
  await system?.stop();
  await secrets?.remove();
});

const pbx = () => {
  const [first] = system.pbxs;
  if (!first) throw new Error('no PBX');
  return first;
};

/** What NATS or Redis refused anybody, and what came of it. */
const refusals = () => system.complaints.filter((line) => /forbidden|refuse|violation|NOPERM|NOAUTH/i.test(line));

/** As a shell would, on the operator's machine. */
function callfleet(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args, '--config', system.configFile], (error, output, errors) =>
      resolve({ code: error ? Number(error.code) : 0, output, errors }),
    );
  });
}

test('on servers with a user for each service, conversations outlive their worker and their gateway', async () => {
  const calls = await Promise.all(
    Array.from({ length: 4 }, async (_, n) => {
      const toneHz = 500 + n * 90;
      const call = await placeCall({
        to: pbx().sipAddress,
        extension: '100',
        from: `270${n}`,
        audio: { toneHz },
      });
      await call.waitForTone(toneHz, 10_000);
      return { call, from: `270${n}`, toneHz };
    }),
  );
  await system.fleet.workers[0]?.kill();
  await wait(1500);
  // Another gateway takes its shard over from what the streams have, and from its mirror.
  await system.fleet.gateways[0]?.kill();
  await wait(1500);
  for (const { call, toneHz } of calls) await call.waitForTone(toneHz, 2000);
  await Promise.all(calls.map(({ call }) => call.hangUp()));
  const records = await Promise.all(calls.map(({ from }) => system.recordOf(from)));
  for (const record of records) {
    expect(record).toMatchObject({ program: { name: 'echo-bot' }, endedBy: 'caller' });
    expect(record.media[0]?.heard.speechMs).toBeGreaterThan(1000);
  }
  expect(records.filter(({ takeovers }) => takeovers === 1).length, 'calls that changed hands').toBeGreaterThan(0);
  await system.expectNothingLeft();
  expect(refusals()).toEqual([]);
});

test('shards are handed over, when a gateway comes and another stops', async () => {
  await system.fleet.addGateway('gateway-3');
  await system.fleet.gateways[1]?.stop();
  const call = await placeCall({ to: pbx().sipAddress, extension: '100', from: '2710', audio: { toneHz: 700 } });
  await call.waitForTone(700, 15_000);
  await call.hangUp();
  expect(await system.recordOf('2710')).toMatchObject({ endedBy: 'caller' });
  expect(refusals()).toEqual([]);
});

test('an operator places a call through a trunk, cancels one, and sees the PBXs', async () => {
  const place = (endpoint: string, ...more: string[]) =>
    callfleet('originate', '--program', 'outbound', '--to', `trunk-a:${endpoint.split(':').at(-1)}`, ...more);
  const phone = await startPhone({ from: pbx(), behaviour: 'answers', audio: { toneHz: 1400 } });
  const answered = await place(phone.endpoint, '--caller-id', '2720');
  expect(answered.output).toContain('answered: its program runs');
  await (await phone.nextCall()).hangUp();
  await phone.stop();
  const silent = await startPhone({ from: pbx(), behaviour: 'rings' });
  const placed = await place(silent.endpoint, '--no-wait');
  const [, id = ''] = /^call (\S+) is placed/.exec(placed.output) ?? [];
  expect(await callfleet('cancel', id)).toMatchObject({ code: 0, output: `call ${id} is cancelled\n` });
  await silent.stop();
  expect(await callfleet('pbxs')).toMatchObject({ code: 0, output: expect.stringContaining('CONNECTED') });
  expect(refusals()).toEqual([]);
});

test('a secret of one service is in no configuration, and the file is the same for all', async () => {
  const text = await readFile(system.configFile, 'utf8');
  for (const user of ['gateway', 'worker']) expect(text).not.toContain(await secrets.redisPassword(user));
});
