import { type SimulatedPbx, startSimulatedPbx } from '@callfleet/pbx-sim';
import type { Asterisk } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

const CALLS = 10;
const HOLD_MS = 2500;

let fleet: TestFleet;
/** One with media over WebSockets, one with RTP: as the fleet's PBXs are by default. */
const pbxs: SimulatedPbx[] = [];

beforeAll(async () => {
  fleet = await startTestFleet({
    gateways: 1,
    workers: 1,
    async startPbx(name) {
      const pbx = await startSimulatedPbx({ name });
      pbxs.push(pbx);
      return pbx as unknown as Asterisk;
    },
  });
});
afterAll(() => fleet?.stop());

test('callers of simulated PBXs are answered, hear themselves from the echo program, and leave nothing behind', async () => {
  const reports = (
    await Promise.all(
      pbxs.map((pbx) =>
        pbx.calls({ count: CALLS, arrivalsPerSecond: 10, call: { extension: '100', holdMs: HOLD_MS } }),
      ),
    )
  ).flat();
  expect(reports).toHaveLength(2 * CALLS);
  for (const report of reports) {
    expect(report).toMatchObject({ answered: true, endedBy: 'caller', cause: 16 });
    expect(report.heard.ownToneFrames).toBeGreaterThan(report.heard.frames / 2);
    expect(report.heard.ownToneFrames).toBeGreaterThan(25);
    expect(await fleet.recordOf(report.from)).toMatchObject({
      program: { name: 'echo-bot' },
      endedBy: 'caller',
      takeovers: 0,
    });
  }
  // Both PBXs give their callers the same numbers.
  await expect.poll(() => fleet.recordCount(), { timeout: 5000 }).toBe(2 * CALLS);
  await fleet.expectNothingLeft();
  for (const pbx of pbxs) {
    expect(pbx.counts).toMatchObject({ callsUnserved: 0, callsFallenBack: {}, notSimulated: {} });
    expect(pbx.leftovers).toEqual([]);
  }
});
