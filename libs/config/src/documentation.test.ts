import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { configSchema } from './schema.ts';

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
  default?: unknown;
}

/** Each key, with what the schema says of it. */
function keysOf(schema: JsonSchema, path: string): Array<[path: string, schema: JsonSchema]> {
  if (schema.items) return [[path, schema], ...keysOf(schema.items, `${path}[]`)];
  const { additionalProperties: named } = schema;
  if (!schema.properties) return typeof named === 'object' ? keysOf(named, `${path}.<name>`) : [[path, schema]];
  return Object.entries(schema.properties).flatMap(([key, value]) =>
    keysOf(value, path === '' ? key : `${path}.${key}`),
  );
}

const schema = z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
const keys = new Map(keysOf(schema, '').filter(([path]) => !path.endsWith('[]')));
const codeIn = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** Of docs/configuration.md: keys, their defaults, what they mean. */
const rows = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').slice(1, 4));

test('docs/configuration.md explains every key, and no key that is not there', () => {
  expect(new Set(rows.flatMap(([names]) => codeIn(names)))).toEqual(new Set(keys.keys()));
});

test('docs/configuration.md has the default of every key as it is', () => {
  const shown = (value: unknown) => (Array.isArray(value) ? `[${value.join(', ')}]` : String(value));
  const told = rows.flatMap(([names, defaults = '']) => {
    // What is said in words differs from machine to machine, or is no value.
    if (!/^( *`[^`]+`,?)+ *$/.test(defaults)) return [];
    return codeIn(names).map((name, n) => [name, codeIn(defaults)[n]] as const);
  });
  expect(told.length).toBeGreaterThan(40);
  expect(told).toEqual(told.map(([name]) => [name, shown(keys.get(name)?.default)]));
  const required = rows.filter(([, defaults]) => defaults?.trim() === 'required').flatMap(([names]) => codeIn(names));
  expect(required.filter((name) => keys.get(name)?.default !== undefined)).toEqual([]);
});
