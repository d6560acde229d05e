import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { isCallProgram } from '@callfleet/calls/runtime';
import type { ProgramConfig } from '@callfleet/config';
import { isSame, type LoadedProgram } from './program-routes.ts';

/** A program's file can't be used: `message` names the program, the file and why. */
export class ProgramLoadError extends Error {
  override readonly name = 'ProgramLoadError';
  readonly code = 'CF_PROGRAM_LOAD';
}

/** A configured program whose version is known. */
export type VersionedProgram = ProgramConfig & { readonly version: string };

/** Gives each configured program its version: by default it is made of the file's text. @throws ProgramLoadError */
export async function withVersions(programs: readonly ProgramConfig[]): Promise<VersionedProgram[]> {
  if (programs.length === 0)
    throw new ProgramLoadError('no call program is configured: add one under "programs" (name, file, extensions)');
  const versioned = await Promise.all(programs.map(withVersion));
  for (const [index, program] of versioned.entries())
    if (versioned.findIndex((other) => isSame(other, program)) < index)
      throw new ProgramLoadError(
        `program "${program.name}" is there twice in version ${program.version}: each entry needs a version of its own`,
      );
  return versioned;
}

/** Loads every program. @throws ProgramLoadError */
export async function loadPrograms(programs: readonly VersionedProgram[]): Promise<LoadedProgram[]> {
  return Promise.all(programs.map(loadProgram));
}

async function withVersion(program: ProgramConfig): Promise<VersionedProgram> {
  if (program.version !== undefined) return { ...program, version: program.version };
  const text = await readFile(program.file).catch((cause: Error) => {
    throw cantLoad(program, cause);
  });
  return { ...program, version: createHash('sha256').update(text).digest('hex').slice(0, 12) };
}

async function loadProgram(configured: VersionedProgram): Promise<LoadedProgram> {
  const { name, version, file, extensions } = configured;
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (cause) {
    throw cantLoad(configured, cause as Error);
  }
  if (!isCallProgram(module.default))
    throw new ProgramLoadError(`program "${name}" (${file}) has no default export made by defineCall(...)`);
  return { name, version, extensions, program: module.default };
}

function cantLoad({ name, file }: ProgramConfig, cause: Error): ProgramLoadError {
  return new ProgramLoadError(`program "${name}" (${file}) can't be loaded: ${cause.message}`, { cause });
}
