import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A secret can't be kept, or what is kept can't be read. */
class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
  readonly code = 'CF_SECRET_FILE';
}

/**
 * What is in a folder's file, made where there is none, for its owner alone. What is there is never replaced, so that what is
 * printed twice is the same.
 *
 * @throws SecretFileError
 */
export function keptSecret(folder: string, name: string, make: () => string): string {
  const file = join(folder, name);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(file, `${make()}\n`, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw new SecretFileError(`${file} can't be written or read (${why})`, { cause });
  }
}
