import { setTimeout as wait } from 'node:timers/promises';
import type { CallRecord } from '@callfleet/bus';
import { placeCall, toneReport } from '@callfleet/testkit';
import { expect } from 'vitest';
import type { TestFleet } from './test-fleet.ts';

let rounds = 0;

/** Callers on each PBX, so that both kinds of legs are among them, each with a tone of its own, in conversation with an echo. */
export async function talkingCallers(system: TestFleet) {
  rounds += 1;
  const callers = system.pbxs.flatMap((pbx, p) =>
    Array.from({ length: 4 }, (_, n) => ({ pbx, from: `1${p}${n}${rounds}`, hz: 500 + (p * 4 + n) * 110 })),
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
export async function hearAgain(
  system: TestFleet,
  calls: Awaited<ReturnType<typeof talkingCallers>>,
  relay: string,
  expected: object = { takeovers: 0 },
): Promise<CallRecord[]> {
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
    expect(record).toMatchObject({ endedBy: 'caller', ...expected });
    expect(record).not.toHaveProperty('error');
    expect(record.media.at(-1)?.relay).toMatch(relay);
    records.push(record);
  }
  return records;
}
