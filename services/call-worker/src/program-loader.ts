import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { loadCallProgram, ProgramLoadError } from '@callfleet/calls/runtime';
import type { ProgramConfig } from '@callfleet/config';
import { isSame, type LoadedProgram } from './program-routes.ts';

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
  return Promise.all(
    programs.map(async ({ name, version, file, extensions }) => {
      const program = await loadCallProgram(file, `program "${name}" (${file})`);
      return { name, version, extensions, program };
    }),
  );
}

async function withVersion(program: ProgramConfig): Promise<VersionedProgram> {
  const { name, version, file } = program;
  if (version !== undefined) return { ...program, version };
  const text = await readFile(file).catch((cause: Error) => {
    throw new ProgramLoadError(`program "${name}" (${file}) can't be loaded: ${cause.message}`, { cause });
  });
  return { ...program, version: createHash('sha256').update(text).digest('hex').slice(0, 12) };
}
