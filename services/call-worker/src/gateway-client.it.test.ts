import { channels } from '@callfleet/ari';
import { answer, type Bus, type CommandRefusal, commandSchema, connectBus, subjects } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GatewayClient } from './gateway-client.ts';

let server: NatsServer;
let bus: Bus;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: [server.url], name: 'test' });
});
afterAll(async () => {
  await bus?.close();
  await server?.stop();
});

test.each<[CommandRefusal, string]>([
  ['CF_BREAKER_OPEN', 'BreakerOpenError'],
  ['CF_PBX_BUSY', 'PbxBusyError'],
  ['CF_PBX_NO_ANSWER', 'PbxUnreachableError'],
  ['CF_COMMAND_FENCED', 'CallTakenOverError'],
])('a command refused with %s is told to the program as a %s', async (code, name) => {
  const id = callIdOf('pbx-a', '1763701200.12');
  const taking = answer(
    bus,
    subjects.commands('pbx-a', 'shard'),
    commandSchema,
    async () => ({ ok: false as const, code, message: 'as it was' }),
    ({ message }) => ({ ok: false as const, code: 'CF_BUS_BAD_MESSAGE' as const, message }),
  );
  const call = { id, pbx: 'pbx-a', zone: 'a', shard: 'shard' };
  const lease = { what: `call/${id}`, owner: 'worker', epoch: 1 };
  const gateway = new GatewayClient(bus, call, lease, 5000, async () => {});
  const failure = await gateway.command('1', channels.answer({ channelId: '1763701200.12' })).catch((error) => error);
  taking.unsubscribe();
  expect(failure).toMatchObject({ name, message: expect.stringContaining('as it was') });
});
