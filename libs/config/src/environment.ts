import { parse } from 'yaml';

const PREFIX = 'CALLFLEET_';

/** Environment variables that are read elsewhere and are no configuration keys. */
const RESERVED = new Set(['CALLFLEET_CONFIG', 'CALLFLEET_INSTANCE', 'CALLFLEET_SERVICE', 'CALLFLEET_CACHE']);

/**
 * The configuration with what the environment says laid over it: `CALLFLEET_RELAY__MAX_SESSIONS=50` sets
 * `relay.maxSessions`. Values are read as YAML, so lists and objects are possible. A name that fits no key is refused
 * later, as any unknown key.
 */
export function overlayEnvironment(config: unknown, env: NodeJS.ProcessEnv): unknown {
  let result: unknown = config ?? {};
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || RESERVED.has(name) || text === undefined) continue;
    const path = name.slice(PREFIX.length).split('__').map(camelCase);
    result = withValue(result, path, parse(text));
  }
  return result;
}

function camelCase(upper: string): string {
  return upper.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function withValue(target: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  return { ...base, [key]: withValue((base as Record<string, unknown>)[key], rest, value) };
}

export interface References {
  /** What `${service}` is: `gateway`. */
  readonly service: string;
  readonly env: NodeJS.ProcessEnv;
  /** Throws when there is no such file. */
  readonly readFile: (path: string) => string;
  /** Secrets that are nothing to this process, by the key's path (`pbxs[].password`), and what stands in their place. */
  readonly unread: ReadonlyMap<string, string>;
}

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\}/g;

/**
 * Replaces in every string `${service}` by the service, `${NAME}` by that environment variable, and `${file:PATH}` by what is in
 * that file, without the line's end. `${service}` may be within the others: `${file:secrets/nats-${service}}`.
 *
 * @returns with what is missing, and where
 */
export function substituteVariables(
  value: unknown,
  { service, env, readFile, unread }: References,
): { value: unknown; missing: string[] } {
  const missing: string[] = [];
  const textOf = (name: string, at: string): string | undefined => {
    if (name.startsWith('file:'))
      try {
        return readFile(name.slice('file:'.length)).trimEnd();
      } catch (error) {
        missing.push(`${at}: the file of \${${name}} can't be read (${(error as NodeJS.ErrnoException).code})`);
        return undefined;
      }
    if (env[name] === undefined) missing.push(`${at}: the environment variable ${name} is not set`);
    return env[name];
  };
  const substitute = (text: string, at: string): string => {
    const named = text.replaceAll('${service}', service);
    const standIn = named.search(REFERENCE) >= 0 ? unread.get(at.replace(/\[\d+\]/g, '[]')) : undefined;
    return standIn ?? named.replace(REFERENCE, (whole, name: string) => textOf(name, at) ?? whole);
  };
  const visit = (node: unknown, at: string): unknown => {
    if (typeof node === 'string') return substitute(node, at);
    if (Array.isArray(node)) return node.map((item, index) => visit(item, `${at}[${index}]`));
    if (typeof node === 'object' && node !== null)
      return Object.fromEntries(
        Object.entries(node).map(([key, item]) => [key, visit(item, at === '' ? key : `${at}.${key}`)]),
      );
    return node;
  };
  return { value: visit(value, ''), missing };
}
