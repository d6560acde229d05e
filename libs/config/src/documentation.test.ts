import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { configSchema } from './schema.ts';

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
}

function pathsOf(schema: JsonSchema, path: string): string[] {
  if (schema.items) return [path, ...pathsOf(schema.items, `${path}[]`)];
  const { additionalProperties: named } = schema;
  if (!schema.properties) return typeof named === 'object' ? pathsOf(named, `${path}.<name>`) : [path];
  return Object.entries(schema.properties).flatMap(([key, value]) =>
    pathsOf(value, path === '' ? key : `${path}.${key}`),
  );
}

test('docs/configuration.md explains every key, and no key that is not there', () => {
  const schema = z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
  const keys = new Set(pathsOf(schema, '').filter((path) => !path.endsWith('[]')));
  const text = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  const documented = new Set(
    rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((m) => m[1])),
  );
  expect(documented).toEqual(keys);
});
