import { type PbxAnnouncement, PbxDirectory, type ShardReport } from '@callfleet/bus';
import type { Logger } from '@callfleet/telemetry';
import { expect, test } from 'vitest';
import { PbxBoard } from './pbx-board.ts';

const SINCE = new Date(0).toISOString();

/** A gateway's board; `one` is its own shard, `two` another gateway's. */
function gateway() {
  const clock = { now: 0 };
  const own: ShardReport[] = [];
  const configured = new Map([['pbx-a', ['one', 'two']]]);
  const published: PbxAnnouncement[] = [];
  const logged: string[] = [];
  const network = { isCut: false };
  const log = (level: string) => (fields: { state: string; before?: string; why?: string }) =>
    logged.push(`${level} ${fields.before ?? '-'} ${fields.state} ${fields.why ?? ''}`.trim());
  const directory = new PbxDirectory({ now: () => clock.now });
  const board = new PbxBoard({
    gateway: 'gateway-1',
    directory,
    names: () => [...configured.keys()],
    configured: (pbx) => configured.get(pbx),
    own: () => ({ shards: own, openBreakers: [] }),
    publish: (announcement) => published.push(structuredClone(announcement)),
    isCutOff: () => network.isCut,
    log: { info: log('info'), warn: log('warn'), error: log('error') } as unknown as Logger,
  });
  return {
    board,
    clock,
    network,
    configured,
    published,
    logged,
    ours(state?: ShardReport['state'], why?: string) {
      own.splice(0, 1);
      if (state) own.push({ shard: 'one', state, since: SINCE, calls: 0, ...(why !== undefined && { why }) });
      board.onOwn('pbx-a');
    },
    others(state: ShardReport['state']) {
      const shards = [{ shard: 'two', state, since: SINCE, why: 'refused', calls: 0 }];
      directory.hear({ pbx: 'pbx-a', gateway: 'gateway-2', shards, openBreakers: [] });
      board.look();
    },
  };
}

test('each change is logged and told once, by what all gateways tell', () => {
  const { board, ours, others, logged, published } = gateway();
  ours('syncing');
  expect(logged).toEqual([]);
  expect(published.at(-1)).not.toHaveProperty('state');
  others('connected');
  ours('connected');
  others('away');
  board.look();
  ours('away', 'refused');
  expect(logged).toEqual([
    'info - SYNCING one: what was missed is being found out',
    'info SYNCING CONNECTED',
    'warn CONNECTED DEGRADED two: refused',
    'error DEGRADED DOWN refused',
  ]);
  expect(published.flatMap(({ state }) => state ?? [])).toEqual(['SYNCING', 'CONNECTED', 'DEGRADED', 'DOWN']);
  expect(board.statuses).toEqual([{ pbx: 'pbx-a', state: 'DOWN', since: expect.any(String), why: 'refused' }]);
});

test('another reason for the same state is told, and is no other since', () => {
  const { board, ours, others, logged } = gateway();
  ours('away', 'refused');
  others('away');
  const before = board.statuses;
  ours('away', 'hangs');
  expect(logged).toEqual(['error - DOWN refused', 'error DOWN DOWN one: hangs; two: refused']);
  expect(board.statuses).toMatchObject([{ state: 'DOWN', since: before[0]?.since }]);
});

test('who gives its last shard up says so once, and leaves the rest to the others', () => {
  const { board, ours, others, published } = gateway();
  ours('connected');
  others('connected');
  ours();
  expect(published.at(-1)).toMatchObject({ gateway: 'gateway-1', shards: [] });
  const told = published.length;
  board.tellAll();
  expect(published).toHaveLength(told);
});

test('while NATS is away the others stay as they were last heard', () => {
  const { board, clock, network, ours, others } = gateway();
  ours('connected');
  others('connected');
  network.isCut = true;
  for (; clock.now < 60_000; clock.now += 500) board.look();
  expect(board.statuses).toMatchObject([{ state: 'CONNECTED' }]);
  network.isCut = false;
  for (; clock.now < 80_000; clock.now += 500) board.look();
  expect(board.statuses).toMatchObject([{ state: 'DEGRADED', why: 'two: no gateway holds it' }]);
});

test('a PBX that is taken out is no more of the states, and is told of as long as it drains', () => {
  const { board, configured, ours, others, published } = gateway();
  ours('connected');
  others('connected');
  configured.clear();
  ours('draining');
  expect(board.statuses).toEqual([]);
  expect(published.at(-1)).toMatchObject({ shards: [{ state: 'draining' }] });
  ours();
  expect(published.at(-1)).toMatchObject({ shards: [] });
});
