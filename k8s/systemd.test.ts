import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@callfleet/config';
import { findProgram } from '@callfleet/supervise';
import { afterAll, describe, expect, it } from 'vitest';
import { SERVICES, type ServiceName, stopLimitMs } from './testing/stop-limits.ts';

const ROOT = join(import.meta.dirname, '..');
const INSTALLED = '/opt/callfleet';

const folder = mkdtempSync(join(tmpdir(), 'callfleet-systemd-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('there is a unit for each service', () => {
  const units = Object.keys(SERVICES).map((name) => `callfleet-${name}@.service`);
  expect(readdirSync(join(ROOT, 'systemd')).sort()).toEqual(units.sort());
});

describe.each(Object.keys(SERVICES) as ServiceName[])('callfleet-%s@3', (name) => {
  const text = readFileSync(join(ROOT, `systemd/callfleet-${name}@.service`), 'utf8').replaceAll('%i', '3');
  const settings = (key: string) =>
    [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);
  const { CALLFLEET_CONFIG, ...env } = Object.fromEntries(
    settings('Environment').flatMap((line) => line.split(' ').map((pair) => pair.split('=') as [string, string])),
  );
  const pbxs = '[{ name: pbx-a, url: "http://192.0.2.5:8088", username: callfleet, password: secret }]';
  const config = loadConfig({ env: { ...env, CALLFLEET_PBXS: pbxs } });

  it('starts the service with keys that there are', () => {
    const [node = '', ...args] = settings('ExecStart')[0]?.split(' ') ?? [];
    expect(node).toBe(`${INSTALLED}/node_modules/.bin/node`);
    expect(args.at(-1)).toBe(`${INSTALLED}/services/${SERVICES[name]}/src/main.ts`);
    expect(existsSync((args.at(-1) as string).replace(INSTALLED, ROOT))).toBe(true);
    expect(CALLFLEET_CONFIG).toBe('/etc/callfleet/callfleet.yaml');
    expect(env.CALLFLEET_INSTANCE).toBe(`${name}-3`);
  });

  it('has ports that no other has', () => {
    expect(config.telemetry.http).toEqual({
      host: '127.0.0.1',
      port: { gateway: 9413, worker: 9423, relay: 9433 }[name],
    });
    if (name === 'relay') expect(config.relay.rtp).toMatchObject({ portMin: 23_000, portMax: 23_999 });
  });

  it('holds events in the folder that it may write to', () => {
    if (name !== 'worker') expect(config[name].spillFolder).toBe(`/var/lib/${settings('StateDirectory')[0]}`);
  });

  it('has the time to stop that it may take', () => {
    expect(Number(settings('TimeoutStopSec')[0]) * 1000).toBeGreaterThan(stopLimitMs(name, config));
  });

  it('is understood by systemd, and well shut in', ({ skip }) => {
    if (!findProgram('systemd-analyze')) return skip('there is no systemd-analyze');
    const unit = join(folder, `callfleet-${name}@3.service`);
    // What it starts must be there.
    writeFileSync(unit, text.replaceAll(INSTALLED, ROOT));
    expect(analyze('verify', unit)).toBe('');
    // 0 is shut in best, 10 not at all.
    analyze('security', '--offline=true', '--threshold=20', unit);
  });
});

/** @returns what it complained of. @throws when it refuses the unit */
function analyze(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8', timeout: 30_000 });
  expect(status, `${stdout}\n${stderr}`).toBe(0);
  return stderr;
}
