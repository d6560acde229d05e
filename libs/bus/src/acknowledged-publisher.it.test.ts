import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { headers } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AcknowledgedPublisher } from './acknowledged-publisher.ts';
import { type Bus, connectBus } from './connection.ts';

const TIMEOUT_MS = 300;

let server: NatsServer;
let bus: Bus;
let publisher: AcknowledgedPublisher;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: [server.url], name: 'test' });
  await bus.jsm.streams.add({ name: 'KEPT', subjects: ['kept.*'], max_msg_size: 100 });
  publisher = new AcknowledgedPublisher(bus, TIMEOUT_MS);
});
afterAll(async () => {
  publisher?.close();
  await bus?.close();
  await server?.stop();
});

/** @returns what it was told of its end: nothing when JetStream has the message */
function publish(subject: string, text: string, id = ''): Promise<unknown> {
  const carried = headers();
  if (id !== '') carried.set('Nats-Msg-Id', id);
  return new Promise((resolve) => {
    publisher.publish(subject, Buffer.from(text), carried, (failure) => resolve(failure?.error));
  });
}

test('a thousand messages at once are each acknowledged, and a repeat is stored once', async () => {
  const ids = Array.from({ length: 1000 }, (_, n) => `message ${n}`);
  const failures = await Promise.all([...ids, ...ids].map((id) => publish('kept.many', id, id)));
  expect(failures).toEqual(failures.map(() => undefined));
  expect((await bus.jsm.streams.info('KEPT')).state.messages).toBe(1000);
});

test('what the stream refuses is told with its reason', async () => {
  expect(await publish('kept.long', 'x'.repeat(200))).toMatchObject({ message: expect.stringContaining('size') });
});

test('where no stream takes it, that is known at once', async () => {
  expect(await publish('nobody.here', 'x')).toMatchObject({ code: 'CF_BUS_NO_RESPONDER' });
});

test('what is not acknowledged in time is told, each at its own time', async () => {
  bus.nc.subscribe('silent.*', { callback: () => {} });
  await bus.nc.flush();
  const from = performance.now();
  const first = publish('silent.a', 'x');
  const second = publish('silent.b', 'x');
  expect(await first).toMatchObject({ code: 'CF_BUS_TIMEOUT' });
  expect(await second).toMatchObject({ code: 'CF_BUS_TIMEOUT' });
  expect(performance.now() - from).toBeGreaterThanOrEqual(TIMEOUT_MS);
});

test('what NATS can not take at all is thrown', async () => {
  const tooLong = Buffer.alloc(2 * 1024 * 1024);
  expect(() => publisher.publish('kept.long', tooLong, headers(), () => {})).toThrow('max_payload');
});
