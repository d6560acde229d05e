import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { VoiceProviderError } from './errors.ts';

/** What a key may be made of: also what may stand in a header. */
const KEY = /^[\x21-\x7e]{1,4096}$/;

/**
 * Where a provider's key is. Never the key itself: options pass through the bus, and stand in journals.
 *
 * @param variable the environment variable that is read when nothing is said
 */
export function keyOptions<Variable extends string>(variable: Variable) {
  return {
    /**
     * The relay's environment variable that has it. Its name ends like that of a key, so that no other secret of the relay can be sent
     * to an AI, and no key be given in its place.
     */
    key: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*_(KEY|TOKEN)$/, 'the name of an environment variable that ends in _KEY or _TOKEN')
      .default(variable),
    /** A file that has it, as secrets are mounted; it is read for each call, so a key may be changed. Goes before `key`. */
    keyFile: z.string().startsWith('/', 'an absolute path').optional(),
  };
}

/** @returns undefined where neither is named @throws VoiceProviderError CF_PROVIDER_KEY */
export async function readKey(
  provider: string,
  { key, keyFile }: { readonly key?: string | undefined; readonly keyFile?: string | undefined },
): Promise<string | undefined> {
  if (key === undefined && keyFile === undefined) return undefined;
  const value = keyFile === undefined ? process.env[key as string] : await fileText(provider, keyFile);
  if (value !== undefined && KEY.test(value)) return value;
  const where = keyFile === undefined ? `the relay's environment variable ${key}` : `the file ${keyFile}`;
  throw new VoiceProviderError('CF_PROVIDER_KEY', provider, `provider "${provider}" needs a key in ${where}`);
}

async function fileText(provider: string, path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code;
    const message = `provider "${provider}" can't read its key from the file ${path}: ${why}`;
    throw new VoiceProviderError('CF_PROVIDER_KEY', provider, message, { cause });
  }
}
