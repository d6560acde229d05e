import type { BenchOptions } from './bench-options.ts';
import { benchCluster } from './cluster/cluster-bench.ts';
import { benchScale } from './cluster/scale-bench.ts';
import { benchCommands } from './command-bench.ts';
import { benchControl } from './control/control-bench.ts';
import { benchGateway } from './gateway-bench.ts';
import { benchMedia } from './media-bench.ts';
import { benchReport } from './report.ts';
import { benchSoak } from './soak-bench.ts';

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<number>>> = {
  gateway: benchGateway,
  command: benchCommands,
  control: benchControl,
  cluster: benchCluster,
  scale: benchScale,
  media: benchMedia,
  soak: benchSoak,
};

/** Measures one part of the system, on this machine. @returns the exit code */
export async function benchCommand(what: string, files: readonly string[], options: BenchOptions): Promise<number> {
  if (what === 'report') return benchReport(files);
  const bench = BENCHES[what];
  if (!bench) {
    console.error(
      `callfleet: there is no bench "${what}"; there are: ${[...Object.keys(BENCHES), 'report'].join(', ')}`,
    );
    return 1;
  }
  return bench(options);
}
