import { loadConfig } from '@callfleet/config';
import { expect, test } from 'vitest';
import { pbxSide, type Variant } from './pbx-side.ts';

function side(listen: object | undefined, { pbx = {}, up = {}, variant = 'asterisk' as Variant } = {}): string {
  const entry = { name: 'pbx-a', url: 'http://10.0.0.5:8088', username: 'branch', password: 's3;cret', ...pbx };
  const config = loadConfig({
    env: {
      CALLFLEET_PBXS: JSON.stringify([entry]),
      CALLFLEET_GATEWAY__LISTEN: JSON.stringify({ port: 8080 }),
      CALLFLEET_RELAY__TRANSPORT: 'websocket',
      CALLFLEET_UP: JSON.stringify(up),
      ...(listen && { CALLFLEET_RELAY__WEBSOCKET__LISTEN: JSON.stringify(listen) }),
    },
  });
  const [first] = config.pbxs;
  if (!first) throw new Error('no PBX');
  return pbxSide(config, first, variant, { showSecrets: true });
}
const TLS = { certFile: 'c', keyFile: 'k' };

test('a PBX that connects with its legs has an entry for each relay, with its own credentials', () => {
  const text = side({ port: 8443, tls: TLS }, { up: { relaysPerZone: 2 } });
  expect(text).toContain('[callfleet-relay]\ntype = websocket_client\nconnection_type = per_call_config\n');
  expect(text).toContain('uri = wss://<address of this relay>:8443/media\nprotocols = media\nusername = branch\n');
  expect(text).toContain('[callfleet-relay-2]\n');
  expect(text).toContain('uri = wss://<address of this relay>:8444/media\n');
  expect(text).toContain('password = s3\\;cret');
  expect(text).not.toContain('nothing to do');
});

test('on FreePBX too', () => {
  expect(side({ port: 8443 }, { variant: 'freepbx' })).toMatch(/= \/etc\/asterisk\/websocket_client\.conf$/m);
});

test('without TLS it says what that means', () => {
  expect(side({ port: 8443, host: 'relay.example' })).toMatch(/tls_enabled = no .*password and audio go over/);
});

test('one that dials the gateways as well has both in one file', () => {
  const text = side({ port: 8443 }, { pbx: { mode: 'outbound' } });
  expect(text.match(/^;=+ websocket_client\.conf$/gm)).toHaveLength(1);
  expect(text).toContain('connection_type = persistent');
  expect(text).toContain('connection_type = per_call_config');
});

test('one that relays connect to has nothing to do', () => {
  expect(side(undefined)).toContain('; websocket_client.conf: nothing to do.');
});
