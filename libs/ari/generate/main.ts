import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readApiDocs } from './read-api-docs.ts';
import { renderEvents } from './render-events.ts';
import { renderModels } from './render-models.ts';
import { renderOperations } from './render-operations.ts';

const [source, version] = process.argv.slice(2);
if (source === undefined) {
  console.error(`usage: npm run generate:ari -- SOURCE [VERSION]
  SOURCE   http://user:password@host:8088/ari/api-docs, or a directory such as /usr/share/asterisk/rest-api
  VERSION  of the Asterisk that a directory belongs to, such as 22.10.1`);
  process.exit(2);
}

const docs = await readApiDocs(source, version);
const directory = fileURLToPath(new URL('../src/generated/', import.meta.url));
await mkdir(directory, { recursive: true });
await writeFile(`${directory}models.gen.ts`, renderModels(docs));
await writeFile(`${directory}events.gen.ts`, renderEvents(docs));
await writeFile(`${directory}operations.gen.ts`, renderOperations(docs));
console.log(`src/generated is now of Asterisk ${docs.version}`);
