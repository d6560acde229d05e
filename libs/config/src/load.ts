import { dirname, isAbsolute, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { overlayEnvironment, substituteVariables } from './environment.ts';
import { ConfigError } from './errors.ts';
import { type Config, configSchema } from './schema.ts';
import { Sources } from './sources.ts';

export interface LoadOptions {
  /** Path of callfleet.yaml. Default: $CALLFLEET_CONFIG; without either, the environment alone is the configuration. */
  file?: string | undefined;
  /** Default: the process's. */
  env?: NodeJS.ProcessEnv | undefined;
}

/** Reads, completes and checks the configuration. @throws ConfigError, naming every wrong key at once */
export function loadConfig(options: LoadOptions = {}): Config {
  return readConfig(options, new Sources());
}

/** The path of callfleet.yaml, if there is one. */
export function configFile({ file, env = process.env }: LoadOptions): string | undefined {
  return file ?? env.CALLFLEET_CONFIG;
}

/** As {@link loadConfig}; what it reads, it reads from `sources`. */
export function readConfig(options: LoadOptions, sources: Sources): Config {
  const env = options.env ?? process.env;
  const file = configFile(options);
  const source = file ?? 'from the environment (no file: give --config or CALLFLEET_CONFIG)';
  const base = file === undefined ? process.cwd() : dirname(resolve(file));
  const yaml = file === undefined ? {} : readYaml(file, sources);
  const substituted = substituteVariables(yaml, env, (path) => sources.read(resolve(base, path)));
  if (substituted.missing.length > 0) throw new ConfigError(source, substituted.missing);

  const result = configSchema.safeParse(overlayEnvironment(substituted.value, env));
  if (!result.success) throw new ConfigError(source, result.error.issues.map(describe));
  return {
    ...result.data,
    programs: result.data.programs.map((program) => ({
      ...program,
      file: isAbsolute(program.file) ? program.file : resolve(base, program.file),
    })),
  };
}

function readYaml(file: string, sources: Sources): unknown {
  let text: string;
  try {
    text = sources.read(file);
  } catch (cause) {
    throw new ConfigError(file, [`the file can't be read: ${(cause as Error).message}`], { cause });
  }
  const document = parseDocument(text);
  if (document.errors.length > 0)
    throw new ConfigError(
      file,
      document.errors.map((error) => error.message),
    );
  return document.toJS() as unknown;
}

function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  );
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}
