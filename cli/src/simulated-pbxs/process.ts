import { fileURLToPath } from 'node:url';
import { type Child, spawnChild } from '@callfleet/supervise';
import { NODE } from '../repository.ts';

/** A simulated PBX in another process: what the fleet connects to, and where callers are ordered (docs/simulated-pbx.md). */
export interface PlacedPbx {
  readonly name: string;
  readonly httpUrl: string;
  readonly username: string;
  readonly password: string;
  readonly controlUrl: string;
}

const READY_BEGIN = '{"pbxs":';
const READY_LIMIT_MS = 20_000;

/** Simulated PBXs in a process of their own, so that what they cost is not the measurer's. */
export class SimulatedPbxProcess {
  readonly pbxs: readonly PlacedPbx[];
  readonly #child: Child;

  private constructor(child: Child, pbxs: readonly PlacedPbx[]) {
    this.#child = child;
    this.pbxs = pbxs;
  }

  /** @throws ChildError */
  static async start(names: readonly string[]): Promise<SimulatedPbxProcess> {
    let ready = '';
    const child = await spawnChild({
      name: `simulated PBXs ${names[0]}...`,
      command: NODE,
      args: ['--disable-warning=ExperimentalWarning', fileURLToPath(new URL('./main.ts', import.meta.url)), ...names],
      onLine: (stream, line) => {
        if (line.startsWith(READY_BEGIN)) ready = line;
        else console.log(`${names[0]} (${stream}): ${line}`);
      },
      ready: { line: (line) => line.startsWith(READY_BEGIN) },
      readyTimeoutMs: READY_LIMIT_MS,
    });
    return new SimulatedPbxProcess(child, (JSON.parse(ready) as { pbxs: PlacedPbx[] }).pbxs);
  }

  get pid(): number {
    return this.#child.pid;
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }
}
