import { pathToFileURL } from 'node:url';
import { isCallProgram } from '@callfleet/calls/runtime';
import type { ProgramConfig } from '@callfleet/config';
import type { LoadedProgram } from './program-routes.ts';

/** A program's file can't be used: `message` names the program, the file and why. */
export class ProgramLoadError extends Error {
  override readonly name = 'ProgramLoadError';
  readonly code = 'CF_PROGRAM_LOAD';
}

/** Loads every configured program. @throws ProgramLoadError */
export async function loadPrograms(programs: readonly ProgramConfig[]): Promise<LoadedProgram[]> {
  if (programs.length === 0)
    throw new ProgramLoadError('no call program is configured: add one under "programs" (name, file, extensions)');
  return Promise.all(programs.map(loadProgram));
}

async function loadProgram({ name, file, extensions }: ProgramConfig): Promise<LoadedProgram> {
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (cause) {
    throw new ProgramLoadError(`program "${name}" (${file}) can't be loaded: ${(cause as Error).message}`, { cause });
  }
  if (!isCallProgram(module.default))
    throw new ProgramLoadError(`program "${name}" (${file}) has no default export made by defineCall(...)`);
  return { name, extensions, program: module.default };
}
