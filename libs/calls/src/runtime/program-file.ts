import { pathToFileURL } from 'node:url';
import { type CallProgram, isCallProgram } from '../define-call.ts';

/** A program's file can't be used: `message` names the file and why. */
export class ProgramLoadError extends Error {
  override readonly name = 'ProgramLoadError';
  readonly code = 'CF_PROGRAM_LOAD';
}

/**
 * Loads a call program: the default export of its file.
 *
 * @param what how the error names it. Default: the file
 * @throws ProgramLoadError
 */
export async function loadCallProgram(file: string, what = file): Promise<CallProgram> {
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ProgramLoadError(`${what} can't be loaded: ${why}`, { cause });
  }
  if (!isCallProgram(module.default))
    throw new ProgramLoadError(`${what} has no default export made by defineCall(...)`);
  return module.default;
}
