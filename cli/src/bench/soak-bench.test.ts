import { expect, test } from 'vitest';
import type { Measure } from '../verdict.ts';
import { measuresOf } from './soak-bench.ts';
import type { Soak, SoakSample } from './soak-load.ts';

const MIB = 2 ** 20;

function soakWith({
  residentMib = (_n: number) => 100,
  left = {},
  ...more
}: Partial<Soak> & {
  residentMib?: (sample: number) => number;
  left?: Partial<SoakSample['open']>;
}): Soak {
  const open = { udp: 0, tcp: 2, files: 30 };
  const sample = (n: number): SoakSample => ({
    ...{ atMs: n * 10_000, residentBytes: residentMib(n) * MIB, heapBytes: (30 + (n % 2)) * MIB, open },
  });
  return {
    samples: Array.from({ length: 30 }, (_, n) => ({ ...sample(n), open: { udp: 400, tcp: 52, files: 480 } })),
    before: sample(0),
    after: { ...sample(30), open: { ...open, ...left } },
    ...{ sessionsAfter: 0, calls: 3000, inVain: 300, silent: 0, lostOnTheWayIn: 0 },
    heard: { received: 1000, lostPackets: 0, foreign: 0, wrongTone: 0 },
    ...more,
  };
}

function missedBy(soak: Soak): string[] {
  const isMissed = ({ target, value }: Measure) => target && 'atMost' in target && !(value <= target.atMost);
  return measuresOf(soak)
    .filter(isMissed)
    .map(({ what }) => what);
}

test('a relay that leaks nothing holds', () => {
  expect(missedBy(soakWith({ residentMib: (n) => 100 + (n % 4) }))).toEqual([]);
});

test('what leaked is named', () => {
  expect(missedBy(soakWith({ residentMib: (n) => 100 + n }))).toEqual(['resident memory: growth']);
  expect(missedBy(soakWith({ left: { udp: 2, files: 32 } }))).toEqual(['UDP ports left open', 'files left open']);
  expect(missedBy(soakWith({ left: { tcp: 3 } }))).toEqual(['TCP connections left open']);
  expect(missedBy(soakWith({ sessionsAfter: 1 }))).toEqual(['sessions left']);
});

test('a heap that is larger without calls than it was before them has leaked', () => {
  const soak = soakWith({});
  const after = { ...soak.after, heapBytes: soak.before.heapBytes + 4 * MIB };
  expect(missedBy({ ...soak, after })).toEqual(["main thread's heap left"]);
});

test('calls that nobody heard prove nothing, nor does memory that could not be read', () => {
  expect(missedBy(soakWith({ silent: 1 }))).toEqual(['calls that were not heard']);
  expect(missedBy(soakWith({ residentMib: () => Number.NaN }))).toEqual(['resident memory: growth']);
});
