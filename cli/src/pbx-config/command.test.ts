import { afterEach, expect, test, vi } from 'vitest';
import { pbxConfigCommand } from './command.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('a PBX or a variant that is not there is refused, with what is there', async () => {
  vi.stubEnv('CALLFLEET_PBXS', '[{ name: a, url: "http://a:8088", username: u, password: p }]');
  await expect(pbxConfigCommand({ pbx: 'b' })).rejects.toThrow('there is no PBX "b" in the configuration; there is a');
  await expect(pbxConfigCommand({ pbx: 'a', variant: 'x' })).rejects.toThrow('accepted: asterisk, freepbx');
});

test('no secret need be there for a page that shows none', async () => {
  vi.stubEnv('CALLFLEET_PBXS', '[{ name: a, url: "http://a:8088", username: u, password: "${PBX_A_PASSWORD}" }]');
  vi.stubEnv('CALLFLEET_REDIS__URL', 'redis://:${file:/none/redis-password}@redis:6379');
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(await pbxConfigCommand({ pbx: 'a' })).toBe(0);
  expect(printed.mock.calls.join('')).toContain('password = <the password of a in your callfleet.yaml>');
  await expect(pbxConfigCommand({ pbx: 'a', showSecrets: true })).rejects.toThrow('variable PBX_A_PASSWORD is not set');
  vi.stubEnv('PBX_A_PASSWORD', 'of-pbx-a');
  expect(await pbxConfigCommand({ pbx: 'a', showSecrets: true })).toBe(0);
  expect(printed.mock.calls.join('')).toContain('password = of-pbx-a');
});
