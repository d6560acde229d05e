import { type CallEvent, callHistory } from '@callfleet/bus';
import type { CallId } from '@callfleet/identity';
import { dialplanFor } from '@callfleet/pbx';
import { placeLocalCall, startAsterisk } from '@callfleet/testkit';
import { expect, test } from 'vitest';
import { CommandProxy, type Fate } from './command-proxy.ts';
import { shardsTaken, shareFleet } from './shared-fleet.ts';
import type { TestFleet } from './test-fleet.ts';

const PROGRAM = '560';
const IN_TIME = { timeout: 30_000, interval: 50 };
/** A phone that rings for a moment, and a caller who stays. */
const CONTEXTS = `[agents]
exten => s,1,Ringing()
 same => n,Wait(0.2)
 same => n,Answer()
 same => n,Wait(60)
 same => n,Hangup()
[callers]
exten => s,1,Answer()
 same => n,Wait(90)
 same => n,Hangup()
`;

let system: TestFleet;
let proxy: CommandProxy;
let caller = 6000;
let usual: Awaited<ReturnType<typeof usualCall>> | undefined;
/** By the id of a channel of ours, the number of who called. */
const numberOf = new Map<string, string>();
/** What each caller's call has asked of the PBX, without its ids. */
const asked = new Map<string, string[]>();
/** The request of a call that meets its fate, counted from 0. */
const fates = new Map<string, { readonly at: number; readonly fate: Fate }>();
const struck = new Set<string>();

/** Of a request that is one call's: whose, and what it says of no id of that call. */
function ownerOf(request: string): { from: string; id: string } | undefined {
  // Of two ids one may be the beginning of the other.
  const [id] = request.match(/[\w-]+-\d+[._]\d+/g)?.filter((one) => numberOf.has(one.replace('_', '.'))) ?? [];
  return id === undefined ? undefined : { from: numberOf.get(id.replace('_', '.')) ?? '', id };
}

function fateOf(request: string): Fate {
  const owner = ownerOf(request);
  // A gateway asks whether there is something, and subscribes to it, on its own account.
  if (!owner || /^GET |subscription/.test(request)) return 'passes';
  const { from, id } = owner;
  const requests = asked.get(from) ?? [];
  asked.set(from, requests);
  requests.push(request.split('?')[0]?.replaceAll(id, '<id>') ?? '');
  const { at, fate } = fates.get(from) ?? { at: -1, fate: 'passes' };
  if (requests.length !== at + 1) return 'passes';
  struck.add(from);
  return fate;
}

shareFleet(
  () => ({
    pbxs: [{ name: 'pbx-a', transport: 'rtp' }],
    dialplan: (shards) => `${dialplanFor(shards)}${CONTEXTS}`,
    async startPbx(name, files) {
      const pbx = await startAsterisk({ name, files });
      proxy = await CommandProxy.start(pbx.httpUrl, {
        fateOf,
        onEvent: ({ type, channel }) => {
          if (type === 'StasisStart' && channel?.caller.number) numberOf.set(channel.id, channel.caller.number);
        },
      });
      const stop = async () => {
        await proxy.stop();
        await pbx.stop();
      };
      return Object.assign(Object.create(pbx), { httpUrl: proxy.url, stop });
    },
    gateways: 1,
    workers: 1,
    config: {
      // All of them are in hand before the gateway is killed.
      worker: { commandTimeoutMs: 40_000, connectTimeoutMs: 40_000 },
      gateway: { commandTimeoutMs: 30_000, rebalanceAfterMs: 60_000 },
    },
  }),
  (whole) => {
    system = whole;
  },
);

async function place(fate?: { at: number; fate: Fate }): Promise<string> {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  caller += 1;
  const from = String(caller);
  if (fate) fates.set(from, fate);
  await placeLocalCall(pbx, { extension: PROGRAM, from, context: 'callers' });
  return from;
}

/** What is told of once for each thing that was done. */
function isOfSomethingDone({ type, data }: CallEvent): boolean {
  return type === 'ari.Dial' ? data.dialstatus === '' : /^ari\.(Stasis|Playback|Recording)Start/.test(type);
}

/** What became of a call, in words that are the same for each. */
async function outcomeOf(from: string) {
  const record = await system.recordOf(from, 60_000);
  const history = await callHistory(system.bus, record.call as CallId);
  const told = history.filter(isOfSomethingDone).map(({ type }) => type);
  const { endedBy, error, takeovers } = record;
  return { endedBy, error, takeovers, told: told.toSorted() };
}

/** A call that nobody disturbs: what it asks for, and what becomes of it. */
async function usualCall() {
  const from = await place();
  const outcome = await outcomeOf(from);
  expect(outcome).toMatchObject({ endedBy: 'program', takeovers: 0 });
  const requests = asked.get(from) ?? [];
  expect(requests.length).toBeGreaterThan(25);
  return { requests, outcome };
}

/** Channels of these callers that nobody but the holder of their shard is told of. */
async function unseen(callers: readonly string[]): Promise<string[]> {
  const [pbx] = system.pbxs;
  const authorization = `Basic ${Buffer.from(`${pbx?.username}:${pbx?.password}`).toString('base64')}`;
  const ask = async (what: string) =>
    (await fetch(`${pbx?.httpUrl}/ari/${what}`, { headers: { authorization } })).json() as Promise<unknown>;
  const there = (await ask('channels')) as { id: string }[];
  const applications = (await ask('applications')) as { name: string; channel_ids: string[] }[];
  const seen = applications.filter(({ name }) => name.endsWith('.mirror')).flatMap(({ channel_ids }) => channel_ids);
  return there.flatMap(({ id }) => (callers.includes(numberOf.get(id) ?? '') && !seen.includes(id) ? [id] : []));
}

/**
 * A caller for each request of a call, stopped at that one: it is in the hand of the only gateway that has shards. Another one is there,
 * and sees what happens.
 */
async function placeWithEverythingInHand(fateOf: (at: number) => Fate) {
  const joined = system.fleet.addGateway(`heir-${caller}`);
  usual ??= await usualCall();
  const { requests, outcome } = usual;
  const callers: string[] = [];
  for (const at of requests.keys()) callers.push(await place({ at, fate: fateOf(at) }));
  const unstruck = () => callers.filter((from) => !struck.has(from)).map((from) => [from, asked.get(from)]);
  await expect.poll(unstruck, IN_TIME).toEqual([]);
  await joined;
  await expect.poll(() => unseen(callers), IN_TIME).toEqual([]);
  return async function expectNoneLost() {
    for (const [at, from] of callers.entries())
      expect(await outcomeOf(from), `${requests[at]} ${fateOf(at)}`).toEqual(outcome);
    await system.expectNothingLeft();
  };
}

test.each<Fate>(['not-answered', 'not-sent'])(
  'a gateway is killed with every kind of command in hand, each %s: no call is lost, and nothing is done twice',
  async (fate) => {
    const expectNoneLost = await placeWithEverythingInHand(() => fate);
    await system.fleet.gateways[0]?.kill();
    await shardsTaken(system);
    await expectNoneLost();
  },
  150_000,
);

test('the connection to a PBX breaks with every kind of command in hand: the same', async () => {
  const expectNoneLost = await placeWithEverythingInHand((at) => (at % 2 === 0 ? 'not-answered' : 'not-sent'));
  proxy.breakAll();
  await expectNoneLost();
}, 150_000);
