import { fileURLToPath } from 'node:url';
import { type Bus, connectBus } from '@callfleet/bus';
import { dialplanFor } from '@callfleet/pbx';
import { installParts, type LocalFleet, type LocalFleetOptions, startLocalFleet } from '@callfleet/testkit';
import { serviceMain } from '../repository.ts';
import { PbxWitness } from './pbx-witness.ts';
import { TALKING, typingContext } from './typing-callers.ts';

type FleetOptions = Partial<LocalFleetOptions> & Pick<LocalFleetOptions, 'programs'>;

const program = (name: string, file: URL, extension: string) => ({
  name,
  file: fileURLToPath(file),
  extensions: [extension],
});

/** What chaos callers can dial. */
export const CHAOS_PROGRAMS = {
  echo: program('echo', new URL('../../../examples/echo-bot.ts', import.meta.url), '100'),
  beating: program('beating', new URL('./beating-call.ts', import.meta.url), '100'),
  quiet: program('quiet', new URL('./quiet-call.ts', import.meta.url), '_3XXXX'),
  listening: program('listening', new URL('./listening-call.ts', import.meta.url), '_4XXXX'),
  talking: program('talking', new URL('./talking-call.ts', import.meta.url), `_${TALKING}XXXX`),
};

/** The whole system on this machine, for as long as `work` takes. @returns its result */
export async function withFleet(
  options: FleetOptions,
  work: (system: LocalFleet, bus: Bus) => Promise<number>,
): Promise<number> {
  await installParts((step) => console.log(`callfleet: ${step}`));
  const system = await startLocalFleet({
    serviceMain,
    dialplan: dialplanFor,
    onProgress: (step) => console.log(`callfleet: ${step}`),
    onLine: (name, line) => console.log(`${name}: ${line}`),
    ...options,
    config: { telemetry: { level: 'error' }, ...options.config },
  });
  const bus = await connectBus({ servers: [system.nats.url], name: 'chaos' });
  try {
    return await work(system, bus);
  } finally {
    await bus.close();
    await system.stop();
  }
}

/** The same for typing callers, with a witness on each PBX. */
export function withWitnessedFleet(
  options: Partial<LocalFleetOptions>,
  work: (system: LocalFleet, bus: Bus, witnesses: readonly PbxWitness[]) => Promise<number>,
): Promise<number> {
  const dialplan: LocalFleetOptions['dialplan'] = (shards) => `${dialplanFor(shards)}${typingContext()}`;
  const config = { telemetry: { level: 'silent' }, ...options.config };
  return withFleet(
    { programs: [CHAOS_PROGRAMS.listening, CHAOS_PROGRAMS.talking], dialplan, ...options, config },
    async (system, bus) => {
      const witnesses = await Promise.all(system.pbxs.map((pbx) => PbxWitness.watch(pbx)));
      try {
        return await work(system, bus, witnesses);
      } finally {
        await Promise.all(witnesses.map((witness) => witness.close()));
      }
    },
  );
}
