import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { overlayEnvironment, substituteVariables } from './environment.ts';
import { ConfigError } from './errors.ts';
import { type Config, configSchema } from './schema.ts';
import { Sources } from './sources.ts';

/** Who reads a configuration; `${service}` in it. */
export type ServiceName = 'gateway' | 'worker' | 'relay' | 'operator';

/** Keys that may refer to a secret, and what the schema takes in place of one that is not read. */
const SECRETS = {
  'nats.user': 'unread',
  'nats.password': 'unread',
  'nats.token': 'unread',
  'redis.url': 'rediss://unread',
  'pbxs[].password': 'unread',
} as const;

type SecretKey = keyof typeof SECRETS;

export interface LoadOptions {
  /**
   * Secrets that it does not use are not read, so that it need not have them: an operator's command that says so needs those of
   * NATS alone. Default: it uses all, and is the operator's; $CALLFLEET_SERVICE goes before as `${service}`.
   */
  service?: ServiceName | undefined;
  /** The only secrets that are read, whatever the service uses: for a command that only shows what is configured. */
  secrets?: readonly SecretKey[] | undefined;
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
  const written = overlayEnvironment(yaml, env);
  const substituted = substituteVariables(written, {
    service: env.CALLFLEET_SERVICE ?? options.service ?? 'operator',
    env,
    readFile: (path) => sources.read(resolve(base, path)),
    unread: unreadBy(options, written),
  });
  if (substituted.missing.length > 0) throw new ConfigError(source, substituted.missing);

  const result = configSchema.safeParse(substituted.value);
  if (!result.success) throw new ConfigError(source, result.error.issues.map(describe));
  return withPaths(result.data, base);
}

/** Secrets that the reader has no use for, and what stands in their place. */
function unreadBy({ service, secrets }: LoadOptions, written: unknown): ReadonlyMap<string, string> {
  const keys = Object.keys(SECRETS) as SecretKey[];
  const unread = secrets ? keys.filter((key) => !secrets.includes(key)) : unusedBy(service, written);
  return new Map(unread.map((key) => [key, SECRETS[key]]));
}

function unusedBy(service: ServiceName | undefined, written: unknown): SecretKey[] {
  const unused = new Set<SecretKey>();
  if (service === 'relay' || service === 'operator') unused.add('redis.url');
  if (service !== undefined && service !== 'gateway') unused.add('pbxs[].password');
  const relay = (written as { relay?: { websocket?: { listen?: unknown }; providers?: object } } | null)?.relay;
  // A relay counts its conversations with the voice AIs of these in Redis, beside all others.
  if (service === 'relay' && Object.keys(relay?.providers ?? {}).length > 0) unused.delete('redis.url');
  // PBXs that connect to a relay show their password to it.
  if (service === 'relay' && relay?.websocket?.listen !== undefined) unused.delete('pbxs[].password');
  return [...unused];
}

/** Files that the configuration names, relative to itself. */
function withPaths<T>(value: T, base: string): T {
  if (Array.isArray(value)) return value.map((item) => withPaths(item, base)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      /^file$|File$/.test(key) && typeof item === 'string' ? resolve(base, item) : withPaths(item, base),
    ]),
  ) as T;
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
