import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { loadCallProgram, ProgramLoadError } from '@callfleet/calls/runtime';
import type { ProgramConfig } from '@callfleet/config';
import { isSame, type ProgramRoute } from './program-routes.ts';

/** Loads every configured program. @throws ProgramLoadError */
export async function loadPrograms(programs: readonly ProgramConfig[]): Promise<ProgramRoute[]> {
  if (programs.length === 0)
    throw new ProgramLoadError('no call program is configured: add one under "programs" (name, file, extensions)');
  const routes = await Promise.all(programs.map(loadProgram));
  for (const [index, route] of routes.entries())
    if (routes.findIndex((other) => isSame(other, route)) < index)
      throw new ProgramLoadError(
        `program "${route.name}" is there twice in version ${route.version}: each entry needs a version of its own`,
      );
  return routes;
}

async function loadProgram({ name, file, extensions, ...configured }: ProgramConfig): Promise<ProgramRoute> {
  const program = await loadCallProgram(file, `program "${name}" (${file})`);
  const version = configured.version ?? versionOfText(await readFile(file));
  return { name, version, extensions, program };
}

function versionOfText(text: Uint8Array): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
