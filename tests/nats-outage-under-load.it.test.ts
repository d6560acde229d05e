import { setTimeout as wait } from 'node:timers/promises';
import { type Bus, type CallEvent, type CallRecord, callEventSchema, decodeMessage } from '@callfleet/bus';
import { partsOfCallId } from '@callfleet/identity';
import { placeLocalCall } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpFleet, startHttpFleet } from './fleet-http.ts';
import { PbxObserver } from './pbx-observer.ts';

const OUTAGE_MS = 30_000;
const CALLS_BEFORE = 20;
const CALL_EVERY_MS = 120;
const CLAIM_TIMEOUT_MS = 5000;

let system: HttpFleet;
let observers: PbxObserver[];

beforeAll(async () => {
  // One gateway, so that the events of all calls are more than it may hold in memory.
  system = await startHttpFleet(
    { gateway: { maxHeldEvents: 1000, claimTimeoutMs: CLAIM_TIMEOUT_MS } },
    { gateways: 1 },
  );
  observers = await Promise.all(system.pbxs.map((pbx) => PbxObserver.watch(pbx)));
});
afterAll(async () => {
  await Promise.all((observers ?? []).map((observer) => observer.close()));
  await system?.stop();
});

/** Places calls one after another, on each PBX in turn, until it is stopped. @returns who called, and when */
function callers(first: number) {
  const placed = new Map<string, number>();
  const place = async () => {
    const from = String(first + placed.size);
    const pbx = system.pbxs[placed.size % system.pbxs.length];
    if (!pbx) throw new Error('no PBX');
    placed.set(from, Date.now());
    await placeLocalCall(pbx, { extension: from, from });
  };
  return { placed, place };
}

/** All that the stream CALLS has, by call. */
async function storedEvents(bus: Bus): Promise<Map<string, CallEvent[]>> {
  const { messages } = (await bus.jsm.streams.info('CALLS', { subjects_filter: 'cf.call.*.*.ev' })).state;
  const byCall = new Map<string, CallEvent[]>();
  let from = 1;
  for (let read = 1; read > 0 && from <= messages * 2; ) {
    read = 0;
    const batch = await bus.jsm.direct.getBatch('CALLS', { seq: from, next_by_subj: 'cf.call.*.*.ev', batch: 1000 });
    try {
      for await (const { seq, data } of batch) {
        read += 1;
        from = seq + 1;
        const event = decodeMessage(callEventSchema, data);
        byCall.set(event.call, [...(byCall.get(event.call) ?? []), event]);
      }
    } catch (error) {
      // No more.
      if ((error as { code?: unknown }).code !== 404) throw error;
    }
  }
  return byCall;
}

function expectNothingLost(record: CallRecord, stored: readonly CallEvent[]): void {
  // As programs are told them: what NATS stored right before it was killed it may have again, and who reads drops it by its number.
  const sorted = stored.toSorted((a, b) => a.seq - b.seq);
  const events = sorted.filter(({ id, seq }, n) => id !== sorted[n - 1]?.id || seq !== sorted[n - 1]?.seq);
  const { number } = record.caller;
  const types = events.map(({ type }) => type);
  expect(types[0], number).toBe('ari.StasisStart');
  expect(types, number).toContain('ari.StasisEnd');
  expect(types, number).toContain('ari.ChannelDestroyed');
  expect(new Set(events.map(({ source }) => source)).size).toBe(1);
  expect(
    events.map(({ seq }) => seq),
    number,
  ).toEqual(events.map((_, n) => n + 1));
  const observer = observers.find(({ pbx }) => pbx.name === record.pbx);
  const channel = partsOfCallId(record.call)?.channelId ?? '';
  const seen = observer?.seenOf(channel, Date.parse(record.enteredAt)) ?? [];
  expect(seen.length, number).toBeGreaterThan(0);
  const ids = new Set(events.map(({ id }) => id));
  expect(
    seen.filter(({ id }) => !ids.has(id)),
    number,
  ).toEqual([]);
}

test('NATS is away while calls keep coming: no call is lost, and no event', async () => {
  const { placed, place } = callers(30_000);
  for (let n = 0; n < CALLS_BEFORE; n += 1) await place();
  await expect
    .poll(async () => (await system.metrics()).sum('callfleet_worker_calls'), { timeout: 30_000 })
    .toBe(CALLS_BEFORE);

  await system.nats.kill();
  const awayAt = Date.now();
  let spilled = 0;
  // A slow machine has fewer calls, and needs longer until there are more events than memory may hold.
  while (Date.now() < awayAt + OUTAGE_MS || spilled === 0) {
    const next = wait(CALL_EVERY_MS);
    await place();
    if (placed.size % 20 === 0) spilled = (await system.metrics()).sum('callfleet_spill_events');
    await next;
  }
  await system.nats.restart();
  const backAt = Date.now();
  await expect.poll(async () => (await system.metrics()).sum('callfleet_spill_events'), { timeout: 30_000 }).toBe(0);
  for (let n = 0; n < CALLS_BEFORE; n += 1) await place();

  const records = new Map<string, CallRecord>();
  for (const from of placed.keys()) records.set(from, await system.recordOf(from, 30_000));
  await system.expectNothingLeft();
  const metrics = await system.metrics();
  expect(metrics.sum('callfleet_events_refused_total')).toBe(0);
  expect(metrics.sum('callfleet_events_held')).toBe(0);
  expect(await system.recordCount()).toBe(placed.size);

  const stored = await storedEvents(system.bus);
  for (const [from, at] of placed) {
    const record = records.get(from) as CallRecord;
    expectNothingLost(record, stored.get(record.call) ?? []);
    const when = `placed ${at - awayAt} ms after NATS went, ${at - backAt} ms after it was back`;
    expect(record, `${from}, ${when}: ${record.error?.message}`).not.toHaveProperty('error');
    if (at < awayAt || at > backAt)
      expect(record).toMatchObject({ program: { name: 'beats' }, endedBy: 'program', takeovers: 0 });
    else if (at < backAt - CLAIM_TIMEOUT_MS - 1000)
      expect(record).toMatchObject({ endedBy: 'dialplan', status: 'NOWORKER' });
  }
}, 120_000);
