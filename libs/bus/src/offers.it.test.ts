import { startNatsServer } from '@callfleet/testkit';
import { headers } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { bus, connectedTo, newCall, offerOf } from './bus-under-test.ts';
import { publishOffer } from './offer.ts';
import { OfferQueue } from './offer-queue.ts';

connectedTo(startNatsServer);

describe('offers', () => {
  test('go to one worker each, and are gone when acknowledged', async () => {
    const offered = [newCall(), newCall(), newCall(), newCall()];
    for (const call of offered) await publishOffer(bus, 'one-each', offerOf(call), headers());
    const taken: string[] = [];
    const queues = await Promise.all([1, 2].map(() => OfferQueue.open(bus, 'one-each', () => {})));
    await Promise.all(
      queues.map(async (queue) => {
        for await (const inHand of queue.pull(2)) {
          taken.push(inHand.offer.call);
          inHand.acknowledge();
        }
      }),
    );
    expect(taken.sort()).toEqual([...offered].sort());
  });

  test('given back go to the next', async () => {
    const call = newCall();
    await publishOffer(bus, 'given-back', offerOf(call), headers());
    const queue = await OfferQueue.open(bus, 'given-back', () => {});
    for await (const inHand of queue.pull(1)) inHand.giveBack();
    const again: string[] = [];
    for await (const inHand of queue.pull(1)) {
      again.push(inHand.offer.call);
      inHand.acknowledge();
    }
    expect(again).toEqual([call]);
  });

  describe('of calls that a program has begun', () => {
    const V1 = { name: 'long_menu', version: '1.0' };
    const V2 = { name: 'long_menu', version: '2.0' };

    async function pulledFrom(queue: OfferQueue): Promise<string[]> {
      const pulled: string[] = [];
      for await (const inHand of queue.pull(10)) {
        pulled.push(inHand.offer.call);
        inHand.acknowledge();
      }
      return pulled;
    }

    test('go to workers that have that very version, whatever else they have', async () => {
      const [begun, lost] = [newCall(), newCall()];
      const anyNew = await OfferQueue.open(bus, 'versions', () => {});
      const [one, two] = await Promise.all([V1, V2].map((v) => OfferQueue.openTakeovers(bus, 'versions', v, () => {})));
      if (!one || !two) throw new Error('no queues');
      await publishOffer(bus, 'versions', offerOf(begun), headers());
      await publishOffer(bus, 'versions', { ...offerOf(lost), program: V1 }, headers());
      expect(await Promise.all([anyNew, one, two].map(pulledFrom))).toEqual([[begun], [lost], []]);
    });

    test('wait for a worker that has it, and are shared by all that have it', async () => {
      const lost = [newCall(), newCall(), newCall(), newCall()];
      for (const call of lost) await publishOffer(bus, 'waiting', { ...offerOf(call), program: V1 }, headers());
      const queues = await Promise.all([1, 2].map(() => OfferQueue.openTakeovers(bus, 'waiting', V1, () => {})));
      const pulled = await Promise.all(queues.map(pulledFrom));
      expect(pulled.flat().sort()).toEqual([...lost].sort());
    });

    test('are found again when NATS had forgotten that anyone wants them', async () => {
      const queue = await OfferQueue.openTakeovers(bus, 'forgotten', V1, () => {});
      const { config } = await bus.jsm.consumers.info('OFFERS', 'cf-offer-forgotten~long=5Fmenu@1_0');
      expect(config.inactive_threshold).toBe(300_000 * 1e6);
      await bus.jsm.consumers.delete('OFFERS', 'cf-offer-forgotten~long=5Fmenu@1_0');
      const call = newCall();
      await publishOffer(bus, 'forgotten', { ...offerOf(call), program: V1 }, headers());
      await expect(pulledFrom(queue)).rejects.toThrow();
      expect(await pulledFrom(queue)).toEqual([call]);
    });
  });
});
