import { setTimeout as wait } from 'node:timers/promises';
import { type Asterisk, placeCall } from '@callfleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

let system: TestFleet;
let callers = 2000;

beforeAll(async () => {
  system = await startTestFleet();
});
afterAll(() => system?.stop());

const nextCaller = () => {
  callers += 1;
  return String(callers);
};

/** By name, since the PBXs are not there yet when the tests are collected. */
const pbxNamed = (name: string) => system.pbxs.find((pbx) => pbx.name === name) as Asterisk;

describe.each(['pbx-a', 'pbx-b'])('a caller of %s who hangs up leaves nothing behind', (name) => {
  test('before the answer', async () => {
    const from = nextCaller();
    const call = await placeCall({
      to: pbxNamed(name).sipAddress,
      extension: '400',
      from,
      hangUp: { cancelAfterMs: 500 },
    });
    expect(await call.finished).toMatchObject({ answered: false, hungUpBy: 'caller' });
    const record = await system.recordOf(from);
    expect(record).toMatchObject({ program: { name: 'slow-to-answer' }, endedBy: 'caller' });
    expect(record).not.toHaveProperty('answeredAt');
    await system.expectNothingLeft();
  });

  test('in the first milliseconds, before a worker can have it', async () => {
    const calls = await Promise.all(
      [0, 2, 4, 8, 16, 32].map((cancelAfterMs) =>
        placeCall({ to: pbxNamed(name).sipAddress, extension: '400', from: nextCaller(), hangUp: { cancelAfterMs } }),
      ),
    );
    for (const call of calls) expect(await call.finished).toMatchObject({ answered: false });
    await system.expectNothingLeft();
  });

  test('while the media leg is being made', async () => {
    // The leg takes some milliseconds from the answer on; the moments between are walked through.
    for (let round = 0; round < 3; round += 1) {
      const calls = await Promise.all(
        [0, 1, 2, 4, 6, 8, 12, 16, 24].map((afterMs) =>
          placeCall({
            to: pbxNamed(name).sipAddress,
            extension: '100',
            from: nextCaller(),
            audio: { toneHz: 500 },
            hangUp: { afterMs: afterMs + round },
          }),
        ),
      );
      for (const call of calls) expect(await call.finished).toMatchObject({ answered: true, hungUpBy: 'caller' });
    }
    await system.expectNothingLeft();
  });

  test('in the middle of audio', async () => {
    const from = nextCaller();
    const call = await placeCall({ to: pbxNamed(name).sipAddress, extension: '100', from, audio: { toneHz: 500 } });
    await call.waitForTone(500, 10_000);
    await call.hangUp();
    expect(await system.recordOf(from)).toMatchObject({ endedBy: 'caller', cause: { code: 16 } });
    await system.expectNothingLeft();
  });

  test('while a digit is being pressed', async () => {
    const call = await placeCall({ to: pbxNamed(name).sipAddress, extension: '500', from: nextCaller() });
    await call.answered;
    call.sendDtmf('12');
    await wait(200);
    await call.hangUp();
    await system.expectNothingLeft();
  });
});

test('nothing of all that was an error, to us', () => {
  expect(system.complaints.filter((line) => !line.includes('"level":"warn"'))).toEqual([]);
});
