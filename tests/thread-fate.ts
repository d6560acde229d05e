import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type ThreadFate = 'throws' | 'spins';

/** Where it says what befalls the second thread of the relay that is this process. */
export function fateFile(pid: number): string {
  return join(tmpdir(), `callfleet-fate-of-${pid}`);
}
