import { setTimeout as wait } from 'node:timers/promises';
import type { CallRecord } from '@callfleet/bus';
import { placeCall, toneReport } from '@callfleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

let system: TestFleet;

afterEach(() => system?.stop());

/** Callers on each PBX, so that both kinds of legs are among them, each with a tone of its own, in conversation with an echo. */
async function talkingCallers() {
  const callers = system.pbxs.flatMap((pbx, p) =>
    Array.from({ length: 4 }, (_, n) => ({ pbx, from: `1${p}${n}0`, hz: 500 + (p * 4 + n) * 110 })),
  );
  const calls = await Promise.all(
    callers.map(async ({ pbx, from, hz }) => {
      const call = await placeCall({ to: pbx.sipAddress, extension: '100', from, audio: { toneHz: hz } });
      await call.waitForTone(hz, 15_000);
      return { call, from, hz };
    }),
  );
  return calls;
}

/** All of them hear themselves again, and nobody else, and are in conversation in this relay at their ends. */
async function hearAgain(calls: Awaited<ReturnType<typeof talkingCallers>>, relay: string): Promise<CallRecord[]> {
  const records: CallRecord[] = [];
  // Whatever was on its way has been heard by then.
  await wait(500);
  await Promise.all(calls.map(({ call, hz }) => call.waitForTone(hz, 10_000)));
  await wait(1500);
  for (const { call, from, hz } of calls) {
    const report = await call.hangUp();
    const tones = toneReport(report.heard.frames, [hz]);
    expect(
      tones.others.filter((tone) => tone.toMs - tone.fromMs > 100),
      `${from} hears no other`,
    ).toEqual([]);
    const record = await system.recordOf(from);
    expect(record).toMatchObject({ endedBy: 'caller', takeovers: 0 });
    expect(record).not.toHaveProperty('error');
    expect(record.media.at(-1)?.relay).toMatch(relay);
    records.push(record);
  }
  return records;
}

test('a relay is killed: its callers are in conversation again, in the other relay, and nothing is left', async () => {
  system = await startTestFleet();
  const calls = await talkingCallers();
  await system.fleet.relays[0]?.kill();
  const records = await hearAgain(calls, 'pbx-b');
  // Those of the relay that lives were not moved.
  const moved = records.filter(({ unmeasured }) => unmeasured);
  expect(moved).toHaveLength(4);
  for (const { unmeasured, media } of moved) {
    expect(unmeasured).toEqual([
      {
        provider: 'echo',
        relay: expect.stringMatching('pbx-a'),
        startedAt: expect.any(String),
        lostAt: expect.any(String),
      },
    ]);
    expect(media).toHaveLength(1);
  }
  await system.expectNothingLeft();
}, 60_000);

test('a relay is stopped under live calls: they go on in the other one', async () => {
  system = await startTestFleet();
  const calls = await talkingCallers();
  await system.fleet.relays[1]?.stop();
  const records = await hearAgain(calls, 'pbx-a');
  expect(records.filter(({ unmeasured }) => unmeasured)).toEqual([]);
  await system.expectNothingLeft();
}, 60_000);

test('a relay that hangs is given up, and its callers go on in the other one', async () => {
  system = await startTestFleet();
  const calls = await talkingCallers();
  const relay = system.fleet.relays[0];
  process.kill(relay?.pid ?? 0, 'SIGSTOP');
  await wait(5000);
  await hearAgain(calls, 'pbx-b');
  process.kill(relay?.pid ?? 0, 'SIGCONT');
  await system.expectNothingLeft();
}, 60_000);
