#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ControlServer } from './control.ts';
import { PbxSimError } from './errors.ts';
import { startSimulatedPbx } from './pbx.ts';
import { checked, fileOptions } from './schemas.ts';

const USAGE = `callfleet-pbx-sim [--config file.json]

Starts a simulated PBX, and prints one line of JSON: where its ARI is, and where it takes orders.
What can be in the file, and what can be ordered: docs/simulated-pbx.md`;

try {
  const { values } = parseArgs({ options: { config: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help) console.log(USAGE);
  else await run(values.config);
} catch (error) {
  const isOurs = error instanceof PbxSimError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  const isListening = (error as { syscall?: string }).syscall === 'listen';
  if (!isOurs && !isListening) throw error;
  console.error(`callfleet-pbx-sim: ${(error as Error).message}`);
  process.exitCode = 2;
}

async function run(file: string | undefined): Promise<void> {
  const { controlPort, ...options } = checked(
    fileOptions,
    file === undefined ? {} : contentOf(file),
    file ?? 'options',
  );
  const pbx = await startSimulatedPbx(options);
  const control = await ControlServer.start(pbx, controlPort);
  console.log(JSON.stringify({ pbx: pbx.name, ari: pbx.httpUrl, control: control.url }));
  const stop = async () => {
    await control.stop();
    await pbx.stop();
  };
  process.once('SIGTERM', () => void stop());
  process.once('SIGINT', () => void stop());
}

function contentOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new PbxSimError('CF_PBX_SIM_BAD_INPUT', `${file} can't be read as JSON: ${(error as Error).message}`);
  }
}
