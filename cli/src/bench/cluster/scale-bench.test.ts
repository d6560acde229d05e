import { expect, test } from 'vitest';
import { type ScaleStep, scaleMeasures } from './scale-bench.ts';
import { perPart } from './set-up-round.ts';
import { commandsIn } from './store-operations.ts';

const step = (calls: number, mib: number, cores: number, natsIn: number): ScaleStep => ({
  ...{ calls, seconds: 10, othersCores: 0 },
  residentBytes: perPart(() => mib * 2 ** 20),
  cores: perPart(() => cores),
  stores: { natsIn, natsOut: 0, natsInBytes: 0, redis: { evalsha: natsIn } },
});

test('a call costs what is there with it and was not there without', () => {
  const measures = scaleMeasures([step(0, 100, 0.01, 100), step(1024, 200, 0.03, 1124)], 0);
  const measured = (what: string) => measures.find((measure) => measure.what === what)?.value;
  expect(measured('gateways: memory per call')).toBeCloseTo(100);
  expect(measured('workers: CPU of a thousand idle calls')).toBeCloseTo(1.953);
  expect(measured('messages to NATS, per thousand calls and second')).toBeCloseTo(100);
  expect(measured('commands to Redis, per thousand calls and second')).toBeCloseTo(100);
});

test("Redis's counts are read by command", () => {
  const info =
    '# Commandstats\r\ncmdstat_evalsha:calls=12,usec=99,rejected_calls=0\r\ncmdstat_client|setinfo:calls=2,usec=3\r\n';
  expect(commandsIn(info)).toEqual({ evalsha: 12, 'client|setinfo': 2 });
});
