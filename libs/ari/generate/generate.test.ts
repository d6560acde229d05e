import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { FakeAsterisk } from '../src/fake-asterisk.ts';
import { ARI_EVENT_TYPES } from '../src/generated/events.gen.ts';
import { readApiDocs } from './read-api-docs.ts';
import { renderEvents } from './render-events.ts';
import { renderModels } from './render-models.ts';
import { renderOperations } from './render-operations.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const fixture = here('fixture');

describe('from the api-docs of the fixture come', () => {
  test.each([
    { file: 'models', render: renderModels },
    { file: 'events', render: renderEvents },
    { file: 'operations', render: renderOperations },
  ])('the expected $file, each time the same', async ({ file, render }) => {
    const output = render(await readApiDocs(fixture, '22.10.1'));
    await expect(output).toMatchFileSnapshot(here(`fixture/expected/${file}.txt`));
    expect(render(await readApiDocs(fixture, '22.10.1'))).toBe(output);
  });
});

test('a running Asterisk gives the same as its directory, and its version', async () => {
  const fake = await FakeAsterisk.start();
  fake.handler = async ({ path }) =>
    path === 'asterisk/info'
      ? { status: 200, json: { system: { version: '22.10.1+dfsg+~cs6.17-1' } } }
      : { status: 200, text: await readFile(`${fixture}/${path.replace('api-docs/', '')}`, 'utf8') };
  const url = fake.account.url.replace('//', '//bot:secret@');
  expect(await readApiDocs(`${url}/ari/api-docs/`, undefined)).toEqual(await readApiDocs(fixture, '22.10.1'));
  await fake.stop();
});

test('a running Asterisk that refuses is named', async () => {
  const fake = await FakeAsterisk.start();
  await expect(readApiDocs(`${fake.account.url}/ari/api-docs`, undefined)).rejects.toThrow(
    'resources.json answers 401',
  );
  await fake.stop();
});

test('a directory needs the version of its Asterisk', async () => {
  await expect(readApiDocs(fixture, undefined)).rejects.toThrow('give it as the second argument');
});

test('a type that the api-docs do not define is named', async () => {
  const docs = await readApiDocs(fixture, '22.10.1');
  const resources = docs.resources.filter(({ name }) => name === 'events');
  expect(() => renderModels({ ...docs, resources })).toThrow('the type Channel');
});

test.each(['models', 'events', 'operations'])('the checked-in %s say which Asterisk they are of', async (file) => {
  const text = await readFile(here(`../src/generated/${file}.gen.ts`), 'utf8');
  expect(text).toMatch(/^\/\/ Generated from the api-docs of Asterisk \d+\.\d+\.\d+ by/);
});

test('the checked-in events are all 45', () => {
  expect(ARI_EVENT_TYPES).toHaveLength(45);
  expect(new Set(ARI_EVENT_TYPES).size).toBe(45);
});
