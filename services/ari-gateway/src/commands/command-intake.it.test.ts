import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  ask,
  type Bus,
  BusError,
  type Command,
  type CommandReply,
  commandReplySchema,
  connectBus,
} from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CommandIntake } from './command-intake.ts';

const OK: CommandReply = { ok: true, status: 200, reason: 'OK' };

let nats: NatsServer;
let buses: Bus[];

beforeAll(async () => {
  nats = await startNatsServer();
  buses = await Promise.all(['old', 'new', 'worker'].map((name) => connectBus({ servers: [nats.url], name })));
});
afterAll(async () => {
  await Promise.all(buses.map((bus) => bus.close()));
  await nats.stop();
});

const commandOf = (id: number): Command => ({
  kind: 'ari',
  call: callIdOf('pbx-a', '1.1'),
  epoch: 1,
  id: String(id),
  request: { method: 'POST', route: '/x', path: '/x', query: {} },
});

/** As a worker does: what nobody took is sent again. */
async function send(subject: string, id: number): Promise<void> {
  for (;;)
    try {
      const reply = await ask(buses[2] as Bus, subject, commandOf(id), { reply: commandReplySchema, timeoutMs: 3000 });
      if (reply.ok) return;
      expect(reply.code).toBe('CF_SHARD_NOT_HELD');
      await wait(5);
    } catch (error) {
      if (!(error instanceof BusError) || error.code !== 'CF_BUS_NO_RESPONDER') throw error;
      await wait(5);
    }
}

test('while commands pass from one gateway to another, each is answered, and carried out by one of them, once', async () => {
  const subject = `cf.cmd.${randomUUID()}`;
  const carriedOut: string[] = [];
  let underWay = 0;
  const intakeOf = (name: number, ms: number) =>
    new CommandIntake(buses[name] as Bus, subject, async (command) => {
      underWay += 1;
      await wait(ms);
      underWay -= 1;
      carriedOut.push((command as { id: string }).id);
      return OK;
    });
  const [before, after] = [intakeOf(0, 60), intakeOf(1, 1)];
  before.start();
  await buses[0]?.nc.flush();
  const sent: Promise<void>[] = [];
  for (let id = 0; id < 300; id += 1) {
    sent.push(send(subject, id));
    if (id === 150) {
      before.stop();
      await before.drained();
      expect(underWay, 'under way when the other may begin').toBe(0);
      expect(carriedOut.length).toBeGreaterThan(50);
      after.start();
    }
    if (id % 10 === 0) await wait(1);
  }
  await Promise.all(sent);
  expect(carriedOut.toSorted((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 300 }, (_, id) => String(id)),
  );
  after.stop();
  await after.drained();
});

test('what was sent before it stopped, and comes after, is not carried out, and its sender is told', async () => {
  const subject = `cf.cmd.${randomUUID()}`;
  let carriedOut = 0;
  const [bus, sender] = [buses[0] as Bus, buses[2] as Bus];
  // NATS has sent it, and this process reads it later.
  const arrived = Promise.withResolvers<void>();
  const read = Promise.withResolvers<void>();
  const subscribe: Bus['nc']['subscribe'] = (to, options) =>
    bus.nc.subscribe(to, {
      ...options,
      callback: (error, message) => {
        arrived.resolve();
        void read.promise.then(() => options?.callback?.(error, message));
      },
    });
  const slow: Bus = { ...bus, nc: Object.create(bus.nc, { subscribe: { value: subscribe } }) };
  const intake = new CommandIntake(slow, subject, async () => {
    carriedOut += 1;
    return OK;
  });
  intake.start();
  await bus.nc.flush();
  const asked = ask(sender, subject, commandOf(1), { reply: commandReplySchema, timeoutMs: 3000 });
  await arrived.promise;
  intake.stop();
  read.resolve();
  expect(await asked).toMatchObject({ ok: false, code: 'CF_SHARD_NOT_HELD' });
  expect(carriedOut).toBe(0);
});
