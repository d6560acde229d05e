import { appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where test programs tell what they saw: a file for each caller. */
export const reportFile = (pbx: string, caller: string) => join(tmpdir(), `callfleet-report-${pbx}-${caller}.jsonl`);

/** One line more in a call's report. */
export async function report(call: { pbx: string; caller: { number: string } }, value: unknown): Promise<void> {
  await appendFile(reportFile(call.pbx, call.caller.number), `${JSON.stringify(value)}\n`);
}
