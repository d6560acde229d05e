import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { headers } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { bus, connectedTo, newCall, offerOf } from './bus-under-test.ts';
import { publishOffer } from './offer.ts';
import { OfferQueue } from './offer-queue.ts';

let server: NatsServer;

connectedTo(async () => {
  server = await startNatsServer();
  return server;
});

test('calls that come just before and while NATS is away are offered, once each, when it is back', async () => {
  const calls = [newCall(), newCall(), newCall()];
  const [before, dying, away] = calls.map((call) => ({ ...offerOf(call), expiresAt: Date.now() + 15_000 }));
  if (!before || !dying || !away) throw new Error('no offers');
  await publishOffer(bus, 'outage', before, headers());
  await server.kill();
  const startedAt = performance.now();
  const offered = [publishOffer(bus, 'outage', dying, headers())];
  await expect.poll(() => bus.awayMs()).toBeGreaterThan(0);
  offered.push(publishOffer(bus, 'outage', away, headers()));
  await server.restart();
  await Promise.all(offered);
  // Callers wait for it: not as long as a publication's time limit is.
  expect(performance.now() - startedAt).toBeLessThan(4500);
  const queue = await OfferQueue.open(bus, 'outage', () => {});
  const pulled: string[] = [];
  for await (const inHand of queue.pull(10)) {
    pulled.push(inHand.offer.call);
    inHand.acknowledge();
  }
  expect(pulled.sort()).toEqual([...calls].sort());
});
