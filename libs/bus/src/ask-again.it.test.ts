import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { askAgain } from './ask-again.ts';
import { type Bus, connectBus } from './connection.ts';
import { answer } from './request-reply.ts';

const number = z.object({ n: z.number() });

let server: NatsServer;
let asker: Bus;
let answerer: Bus;

beforeAll(async () => {
  server = await startNatsServer();
  asker = await connectBus({ servers: [server.url], name: 'asker' });
  answerer = await connectBus({ servers: [server.url], name: 'answerer' });
});
afterAll(async () => {
  await asker?.close();
  await answerer?.close();
  await server?.stop();
});

/** Answers only what comes after the first question: that one's answer is lost with NATS. */
function answersSecond(subject: string) {
  let asked = 0;
  const first = Promise.withResolvers<void>();
  const taking = answer(
    answerer,
    subject,
    number,
    async ({ n }) => {
      asked += 1;
      first.resolve();
      if (asked === 1) await new Promise(() => {});
      return { n: n + 1 };
    },
    () => ({ n: -1 }),
  );
  return { first: first.promise, stop: () => taking.unsubscribe() };
}

test('what was under way when NATS died is asked again when it is back', async () => {
  const { first, stop } = answersSecond('again.one');
  await answerer.nc.flush();
  const { signal } = new AbortController();
  const asking = askAgain(asker, 'again.one', { n: 1 }, { reply: number, timeoutMs: 20_000, signal });
  const outcome = asking.catch(({ code }: { code: string }) => code);
  await first;
  await server.kill();
  await server.restart();
  // It was asked again; who answers may be back a moment later than who asks.
  expect([{ n: 2 }, 'CF_BUS_NO_RESPONDER']).toContainEqual(await outcome);
  stop();
});

test('while NATS is away no time counts, but it is not waited for longer than is wanted', async () => {
  await server.kill();
  await expect.poll(() => asker.awayMs()).toBeGreaterThan(0);
  const wanted = new AbortController();
  const asking = askAgain(asker, 'again.two', { n: 1 }, { reply: number, timeoutMs: 1, signal: wanted.signal });
  const state = await Promise.race([asking.catch(() => 'given up'), new Promise((r) => setTimeout(r, 200, 'waits'))]);
  expect(state).toBe('waits');
  wanted.abort(new Error('not any more'));
  await expect(asking).rejects.toThrow('not any more');
  await server.restart();
});
