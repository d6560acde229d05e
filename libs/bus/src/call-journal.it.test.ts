import { callIdOf } from '@callfleet/identity';
import { type NatsServer, startNatsServer } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { CallJournal } from './call-journal.ts';
import { type Bus, connectBus } from './connection.ts';
import { CALLS, ensureStreams } from './streams.ts';

const call = (n: number) => callIdOf('pbx-a', `1763701200.${n}`);
const open = (on: Bus, n: number, writer: string) =>
  CallJournal.open(on, call(n), writer, z.object({ n: z.int() }), async () => {});

let server: NatsServer;
let bus: Bus;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: [server.url], name: 'test' });
  await ensureStreams(bus);
  // A server that forgets at once what it has, as one that was killed does.
  await bus.jsm.streams.update(CALLS, { duplicate_window: 100 * 1e6 });
});
afterAll(async () => {
  await bus?.close();
  await server?.stop();
});

/** The acknowledgement of the first entry is lost. @param onLost what comes behind it meanwhile */
function deafBus(onLost: () => Promise<void> = async () => {}): Bus {
  let isFirst = true;
  const publish: Bus['js']['publish'] = async (...sent) => {
    const kept = await bus.js.publish(...sent);
    if (!isFirst) return kept;
    isFirst = false;
    await onLost();
    throw new Error('timeout');
  };
  return { ...bus, js: Object.create(bus.js, { publish: { value: publish } }) };
}

test('an entry whose acknowledgement was lost is there once, and its writer goes on, whatever the server knows of repeats', async () => {
  const journal = await open(deafBus(), 1, 'worker-1 1 1 1');
  await journal.append({ n: 1 });
  await journal.append({ n: 2 });
  expect((await open(bus, 1, 'reader')).before).toEqual([{ n: 1 }, { n: 2 }]);
});

test('a writer whose entry is there, and behind it that of another, has lost the call', async () => {
  const overtake = async () => (await open(bus, 2, 'worker-2 2 1 1')).append({ n: 100 });
  const journal = await open(deafBus(overtake), 2, 'worker-1 1 1 1');
  await expect(journal.append({ n: 1 })).rejects.toMatchObject({ code: 'CF_JOURNAL_MOVED' });
});

test('of two writers who know the same the first has the call', async () => {
  const [first, second] = [await open(bus, 3, 'worker-1 1 1 1'), await open(bus, 3, 'worker-2 2 1 1')];
  await second.append({ n: 1 });
  await expect(first.append({ n: 1 })).rejects.toMatchObject({ code: 'CF_JOURNAL_MOVED' });
  await second.append({ n: 2 });
});
