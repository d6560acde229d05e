import { setTimeout as wait } from 'node:timers/promises';
import { connectBus, followPbxAnnouncements, PbxDirectory } from '@callfleet/bus';
import { loadConfig } from '@callfleet/config';
import { pbxRows } from './rows.ts';
import { printPbxs } from './table.ts';

export interface PbxsOptions {
  /** Path of callfleet.yaml. Default: as for every command. */
  config?: string | undefined;
  /** Print the rows as a JSON array. Default false. */
  json?: boolean | undefined;
}

/** Every gateway tells of its PBXs every two seconds. */
const LISTEN_MS = 2500;

/** Prints how the fleet's PBXs are, as its gateways tell. @returns the exit code: 1 when one is DOWN @throws ConfigError, BusError */
export async function pbxsCommand({ config: file, json = false }: PbxsOptions): Promise<number> {
  const config = loadConfig({ file, service: 'operator' });
  const bus = await connectBus({ ...config.nats, name: 'callfleet pbxs' });
  try {
    const directory = new PbxDirectory({ graceMs: 0 });
    followPbxAnnouncements(
      bus,
      (told) => directory.hear(told),
      (error) => console.error(`callfleet: an announcement can't be read: ${String(error)}`),
    );
    await wait(LISTEN_MS);
    const rows = pbxRows(directory, config.pbxs);
    process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : printPbxs(rows, new Date()));
    return rows.some(({ state }) => state === 'DOWN') ? 1 : 0;
  } finally {
    await bus.close();
  }
}
