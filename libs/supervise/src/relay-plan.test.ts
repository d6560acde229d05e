import { expect, test } from 'vitest';
import { planRelays } from './relay-plan.ts';

test('each zone gets its relays, once', () => {
  const relays = planRelays(['a', 'b', 'a'], 2, { portMin: 20_000, portMax: 29_999 });
  expect(relays.map((relay) => relay.name)).toEqual(['relay-a-1', 'relay-a-2', 'relay-b-1', 'relay-b-2']);
  expect(relays.map((relay) => relay.env.CALLFLEET_RELAY__ZONE)).toEqual(['a', 'a', 'b', 'b']);
});

test('no two relays share a port', () => {
  const ranges = planRelays(['a', 'b', 'c'], 1, { portMin: 20_000, portMax: 20_099 }).map(({ env }) => [
    Number(env.CALLFLEET_RELAY__RTP__PORT_MIN),
    Number(env.CALLFLEET_RELAY__RTP__PORT_MAX),
  ]);
  expect(ranges).toEqual([
    [20_000, 20_031],
    [20_032, 20_063],
    [20_064, 20_095],
  ]);
});

test('each relay listens for legs at a port of its own, under a name of its own', () => {
  const listeners = [
    { client: 'callfleet-relay', port: 8443 },
    { client: 'callfleet-relay-2', port: 8444 },
  ];
  const relays = planRelays(['a', 'b'], 1, { portMin: 20_000, portMax: 29_999 }, listeners);
  expect(relays.map(({ env }) => env.CALLFLEET_RELAY__WEBSOCKET__LISTEN__PORT)).toEqual(['8443', '8444']);
  expect(relays.map(({ env }) => env.CALLFLEET_RELAY__WEBSOCKET__LISTEN__CLIENT)).toEqual([
    'callfleet-relay',
    'callfleet-relay-2',
  ]);
});
