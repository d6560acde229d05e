import { loadConfig, type PbxConfig } from '@callfleet/config';
import { createLogger } from '@callfleet/telemetry';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LoopLateness } from '../async/loop-lateness.ts';
import type { Link } from '../pool/held-shards.ts';
import type { LinkState } from '../shard/link-state.ts';
import type { Pbx } from './pbx.ts';
import { PbxFleet } from './pbx-fleet.ts';

interface OpenLink {
  readonly pbx: Pbx;
  readonly shard: string;
  readonly onState: (state: LinkState) => void;
}

const NOBODY = { onTaken: () => {}, onAway: async () => false };
let fleet: PbxFleet;
let opened: OpenLink[];
let forgotten: string[];

const entry = (name: string, more: Record<string, unknown> = {}) => ({
  name,
  url: 'http://127.0.0.1:1',
  username: 'callfleet',
  password: 'x',
  shards: ['one'],
  ...more,
});

function configured(...entries: Record<string, unknown>[]) {
  return loadConfig({ env: { CALLFLEET_PBXS: JSON.stringify(entries) } }) as {
    pbxs: PbxConfig[];
    gateway: ReturnType<typeof loadConfig>['gateway'];
  };
}

/** A gateway whose links are made by the test. */
beforeEach(() => {
  opened = [];
  forgotten = [];
  fleet = new PbxFleet({
    loop: new LoopLateness(),
    settings: configured(entry('a')).gateway,
    log: createLogger('test', 'test', { level: 'silent', format: 'json' }),
    open: (pbx, shard, { onState }): Link => {
      opened.push({ pbx, shard, onState });
      const none = async () => {};
      const link = {
        standBy: none,
        serve: () => {},
        suspend: () => {},
        abandon: none,
        release: none,
        drain: none,
        close: none,
        leave: none,
      };
      return { connected: true, calls: 2, ...link };
    },
    claimIdentity: async () => {},
    onShards: () => {},
    onBreaker: () => {},
    onForget: (pbx) => forgotten.push(pbx),
  });
});
afterEach(() => fleet.close());

const apply = (...entries: Record<string, unknown>[]) => [...fleet.apply(configured(...entries).pbxs)];

test('PBXs that come bring their shards, and those that go take theirs', () => {
  expect(apply(entry('a'), entry('b', { shards: ['one', 'two'] }))).toEqual([]);
  expect(fleet.shards).toEqual([
    { pbx: 'a', shard: 'one' },
    { pbx: 'b', shard: 'one' },
    { pbx: 'b', shard: 'two' },
  ]);
  expect(apply(entry('b', { shards: ['two', 'three'] }))).toEqual([]);
  expect(fleet.shards).toEqual([
    { pbx: 'b', shard: 'two' },
    { pbx: 'b', shard: 'three' },
  ]);
  expect(forgotten).toEqual(['a']);
});

test.each([
  ['url', 'http://127.0.0.1:2', ['b']],
  ['password', 'y', []],
  ['zone', 'elsewhere', []],
  ['limits', { commandsPerSecond: 5 }, []],
])('another %s of one PBX opens its links anew, and those of no other', (key, value, forgets) => {
  apply(entry('a'), entry('b'));
  const [a, b] = ['a', 'b'].map((name) => fleet.get(name));
  expect(apply(entry('a'), entry('b', { [key]: value }))).toEqual(['b']);
  expect(fleet.get('a')).toBe(a);
  expect(fleet.get('b')).not.toBe(b);
  expect(forgotten).toEqual(forgets);
});

test('a PBX that is taken out is known as long as its links are open, and comes back as a new one', async () => {
  apply(entry('a'), entry('b'));
  const link = fleet.open({ pbx: 'b', shard: 'one' }, NOBODY);
  opened[0]?.onState({ state: 'connected' });
  apply(entry('a'));
  void link.drain(0, AbortSignal.abort());
  expect(fleet.get('b')?.known.shards).toMatchObject([{ shard: 'one', state: 'draining', calls: 2 }]);
  expect(fleet.has('b')).toBe(false);
  expect(apply(entry('a'), entry('b'))).toEqual(['b']);
  await link.close();
  expect(fleet.get('b')?.known.shards).toEqual([]);
  apply(entry('a'));
  expect(fleet.get('b')).toBeUndefined();
});

test('a shard is told of as soon as it was tried, with what keeps it away and since when', () => {
  apply(entry('a'));
  fleet.open({ pbx: 'a', shard: 'one' }, NOBODY);
  const reports = () => fleet.get('a')?.known.shards;
  expect(reports()).toEqual([]);
  opened[0]?.onState({ state: 'away', why: 'refused' });
  const [before] = reports() ?? [];
  expect(before).toMatchObject({ state: 'away', why: 'refused' });
  opened[0]?.onState({ state: 'away', why: 'hangs' });
  expect(reports()).toEqual([{ ...before, why: 'hangs' }]);
  opened[0]?.onState({ state: 'connected' });
  expect(reports()).toEqual([{ shard: 'one', state: 'connected', since: expect.any(String), calls: 2 }]);
});

test('a PBX that dials us is known by its path, one that is dialled is not, and its shards are nobody`s to dial', () => {
  const listen = { port: 1 };
  const outbound = { name: 'b', mode: 'outbound', username: 'b', password: 'x', shards: ['one', 'two'] };
  const { pbxs } = loadConfig({
    env: {
      CALLFLEET_PBXS: JSON.stringify([entry('a'), outbound]),
      CALLFLEET_GATEWAY__LISTEN: JSON.stringify(listen),
    },
  });
  fleet.apply(pbxs);
  expect(fleet.shards).toEqual([{ pbx: 'a', shard: 'one' }]);
  expect(fleet.dialledIn('/ari/b/two')).toMatchObject({ shard: { pbx: 'b', shard: 'two' }, config: { username: 'b' } });
  for (const path of ['/ari/a/one', '/ari/b/three', '/ari/c/one', '/ari/b', '/ari/b/one/', '/b/one', '/', ''])
    expect(fleet.dialledIn(path), path).toBeUndefined();
});
