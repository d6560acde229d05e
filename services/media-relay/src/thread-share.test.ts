import { loadConfig } from '@callfleet/config';
import { expect, test } from 'vitest';
import { environmentOf, shareOf } from './thread-share.ts';

function shares(relay: { threads: number } & Record<string, unknown>) {
  const pbxs = [{ name: 'pbx-a', url: 'http://127.0.0.1:8088', username: 'a', password: 'b' }];
  const config = loadConfig({ env: { CALLFLEET_PBXS: JSON.stringify(pbxs), CALLFLEET_RELAY: JSON.stringify(relay) } });
  return Array.from({ length: relay.threads }, (_, n) => shareOf(config.relay, n));
}

test('each thread has ports of its own, in pairs from an even one on', () => {
  const ports = shares({ threads: 3, rtp: { portMin: 20_001, portMax: 20_020 } }).map(({ rtp }) => [
    rtp.portMin,
    rtp.portMax,
  ]);
  expect(ports).toEqual([
    [20_002, 20_007],
    [20_008, 20_013],
    [20_014, 20_019],
  ]);
});

test('the fewest ports that are accepted are a pair for each thread', () => {
  const ports = shares({ threads: 2, rtp: { portMin: 20_001, portMax: 20_005 } }).map(({ rtp }) => [
    rtp.portMin,
    rtp.portMax,
  ]);
  expect(ports).toEqual([
    [20_002, 20_003],
    [20_004, 20_005],
  ]);
});

test('AudioSocket ports follow one another, or are any', () => {
  const portsFrom = (port: number) =>
    shares({ threads: 2, transport: 'audiosocket', audiosocket: { port } }).map(({ audiosocket }) => audiosocket.port);
  expect(portsFrom(9092)).toEqual([9092, 9093]);
  expect(portsFrom(0)).toEqual([0, 0]);
});

test('a thread sees keys of voice AIs, and no secret of the fleet', () => {
  const surroundings = { PATH: '/bin', NODE_OPTIONS: '--trace-warnings', https_proxy: 'http://proxy:3128' };
  const keys = { OPENAI_API_KEY: 'a', HF_TOKEN: 'b' };
  const others = { CALLFLEET_NATS__TOKEN: 'c', CALLFLEET_PBXS: 'd', DATABASE_PASSWORD: 'e' };
  expect(environmentOf({ ...surroundings, ...keys, ...others })).toEqual({ ...surroundings, ...keys });
});
