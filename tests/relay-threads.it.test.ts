import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hearAgain, talkingCallers } from './talking-callers.ts';
import { startTestFleet, type TestFleet } from './test-fleet.ts';
import { fateFile, type ThreadFate } from './thread-fate.ts';

const DYING_THREAD = fileURLToPath(new URL('./crash/dying-thread.ts', import.meta.url));

let system: TestFleet;
const files: string[] = [];
const before = process.env.NODE_OPTIONS;

beforeEach(() => {
  process.env.NODE_OPTIONS = `${before ?? ''} --import=${DYING_THREAD}`;
});
afterEach(async () => {
  process.env.NODE_OPTIONS = before ?? '';
  await system?.stop();
  for (const file of files.splice(0)) rmSync(file, { force: true });
});

function befalls(fate: ThreadFate, pid: number): void {
  files.push(fateFile(pid));
  writeFileSync(fateFile(pid), fate);
}

test.each([
  ['dies', 'throws', 'died: an error that nobody catches'],
  ['hangs', 'spins', 'gave no sign of life for 3 s'],
] as const)(
  'a thread of a relay %s: the relay ends, and all of its callers go on in the other one',
  async (_what, fate, why) => {
    const lost: Array<[name: string, code: number]> = [];
    system = await startTestFleet({
      gateways: 1,
      workers: 1,
      config: { relay: { threads: 2, rtp: { bindAddress: '127.0.0.1', advertisedAddress: '127.0.0.1' } } },
      onLost: (name, code) => lost.push([name, code]),
    });
    const calls = await talkingCallers(system);
    befalls(fate, system.fleet.relays[0]?.pid ?? 0);
    await expect.poll(() => lost, { timeout: 10_000 }).toEqual([['relay-pbx-a-1', 1]]);
    expect(system.complaints.filter((line) => line.includes('relay-thread.lost') && line.includes(why))).toHaveLength(
      1,
    );
    await hearAgain(system, calls, 'pbx-b');
    await system.expectNothingLeft();
  },
  90_000,
);
