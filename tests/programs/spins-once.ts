import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineCall } from '@callfleet/calls';

/** Does not give its thread back the first time; the second time all is well. */
export default defineCall(async (call) => {
  await call.answer();
  await call.step('think', () => {
    const mark = join(tmpdir(), `callfleet-spun-${process.pid}-${call.id}`);
    if (existsSync(mark)) return rmSync(mark);
    writeFileSync(mark, '');
    for (;;);
  });
  await call.gather({ firstDigitTimeoutMs: 10_000 });
});
