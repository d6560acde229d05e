import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fleet } from './fleet.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** The HTTP port that each process of a fleet is told. */
async function portsOf(httpPortFrom: number | undefined): Promise<Record<string, string>> {
  const main = join(folder, 'main.mjs');
  await writeFile(
    main,
    `console.log(String(process.env.CALLFLEET_TELEMETRY__HTTP__PORT));
     process.send({ state: 'RUNNING' });
     process.on('SIGTERM', () => process.exit());`,
  );
  const ports: Record<string, string> = {};
  const fleet = await Fleet.start({
    configFile: '',
    serviceMain: () => main,
    gateways: 2,
    workers: 1,
    relays: [{ name: 'relay-a-1', env: {} }],
    httpPortFrom,
    onLine: (name, port) => {
      ports[name] = port;
    },
    onLost: () => {},
  });
  await fleet.stop();
  return ports;
}

test('the processes of a machine get HTTP ports one after another', { timeout: 30_000 }, async () => {
  const expected = { 'gateway-1': '9100', 'gateway-2': '9101', 'worker-1': '9102', 'relay-a-1': '9103' };
  expect(await portsOf(9100)).toEqual(expected);
});

test('without a first port, each has what the configuration says', { timeout: 30_000 }, async () => {
  expect(new Set(Object.values(await portsOf(undefined)))).toEqual(new Set(['undefined']));
});
