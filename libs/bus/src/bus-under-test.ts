import { callIdOf } from '@callfleet/identity';
import { afterAll, beforeAll } from 'vitest';
import type { CallEvent } from './call-event.ts';
import { type Bus, connectBus } from './connection.ts';
import { EventOutbox } from './event-outbox.ts';
import type { Offer } from './offer.ts';
import { ensureStreams } from './streams.ts';

/** The connection of the test file that called `connectedTo`. */
export let bus: Bus;
let calls = 0;

interface StartedServer {
  readonly url: string;
  stop(): Promise<unknown>;
}

/** Gives this test file a server and `bus`, its connection to it. */
export function connectedTo(start: () => Promise<StartedServer>): void {
  let server: StartedServer;
  beforeAll(async () => {
    server = await start();
    bus = await connectBus({ servers: [server.url], name: 'test' });
    await ensureStreams(bus);
  });
  afterAll(async () => {
    await bus?.close();
    await server?.stop();
  });
}

export function newCall() {
  calls += 1;
  return callIdOf('pbx-a', `1763701200.${calls}`);
}

export function eventOf(call: CallEvent['call'], seq: number): CallEvent {
  return { id: `${call} ${seq}`, call, source: 'gateway-1', seq, at: '', type: 'ari.X', data: { n: seq } };
}

export function outbox(options: Partial<ConstructorParameters<typeof EventOutbox>[1]> = {}): EventOutbox {
  return new EventOutbox(bus, { onRefused: () => {}, onRetry: () => {}, retryAfterMs: 20, ...options });
}

export function offerOf(call: Offer['call']): Offer {
  return {
    call,
    pbx: 'pbx-a',
    shard: 'callfleet-1',
    zone: 'a',
    channelId: 'x',
    channelName: 'PJSIP/x',
    channelState: 'Ring',
    caller: { number: '1001', name: '' },
    called: { number: '100', context: 'default' },
    args: [],
    variables: {},
    epoch: 0,
    gateway: 'gateway-1',
    enteredAt: '2026-11-21T05:45:41.123Z',
    expiresAt: Date.now() + 5000,
  };
}
