import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { isCallProgram } from '@callfleet/calls/runtime';
import type { ProgramConfig } from '@callfleet/config';
import { isSame, type ProgramRoute } from './program-routes.ts';

/** A program's file can't be used: `message` names the program, the file and why. */
class ProgramLoadError extends Error {
  override readonly name = 'ProgramLoadError';
  readonly code = 'CF_PROGRAM_LOAD';
}

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
  let module: { default?: unknown };
  let version = configured.version;
  try {
    version ??= versionOfText(await readFile(file));
    module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (cause) {
    throw new ProgramLoadError(`program "${name}" (${file}) can't be loaded: ${(cause as Error).message}`, { cause });
  }
  if (!isCallProgram(module.default))
    throw new ProgramLoadError(`program "${name}" (${file}) has no default export made by defineCall(...)`);
  return { name, version, extensions, program: module.default };
}

function versionOfText(text: Uint8Array): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
