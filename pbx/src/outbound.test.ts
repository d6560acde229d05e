import { loadConfig } from '@callfleet/config';
import { expect, test } from 'vitest';
import { pbxSide } from './pbx-side.ts';

function side(listen: object, showSecrets = false): string {
  const pbx = { name: 'pbx-a', mode: 'outbound', username: 'branch', password: 's3;cret', shards: ['one', 'two'] };
  const env = { CALLFLEET_PBXS: JSON.stringify([pbx]), CALLFLEET_GATEWAY__LISTEN: JSON.stringify(listen) };
  const config = loadConfig({ env });
  const [first] = config.pbxs;
  if (!first) throw new Error('no PBX');
  return pbxSide(config, first, 'asterisk', { showSecrets });
}

test('a PBX that dials has a socket for each shard, to its own path at the gateways', () => {
  const text = side({ port: 8443, tls: { certFile: 'c', keyFile: 'k' } });
  expect(text).toContain('uri = wss://<address of your gateways>:8443/ari/pbx-a/one\n');
  expect(text).toContain('uri = wss://<address of your gateways>:8443/ari/pbx-a/two\n');
  expect(text.match(/^type = outbound_websocket$/gm)).toHaveLength(2);
  expect(text).toContain('verify_server_hostname = yes');
  expect(text).toMatch(/may crash this Asterisk/);
  expect(text).toMatch(/20\.15, 22\.5, 23\.0/);
  expect(text).not.toContain('s3');
});

test('its HTTP server is for itself alone', () => {
  expect(side({ port: 1 })).toMatch(/^bindaddr = 127\.0\.0\.1$/m);
});

test('without TLS it says what that means', () => {
  const text = side({ host: '10.0.0.1', port: 8080 }, true);
  expect(text).toContain('uri = ws://10.0.0.1:8080/ari/pbx-a/one');
  expect(text).toMatch(/tls_enabled = no .*password goes over the network/);
  expect(text).toContain('password = s3\\;cret');
});
