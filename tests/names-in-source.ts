import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

let text: string | undefined;

/** The code that runs: of libraries, services and the command line. */
function source(): string {
  text ??= globSync('{libs,services,pbx,cli}/**/src/**/*.ts', {
    cwd: ROOT,
    exclude: ['**/node_modules', '**/*.test.ts'],
  })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');
  return text;
}

/** Whether something there has this name: an error's code, an event of the log, a label's value. */
export function isInSource(name: string): boolean {
  return source().includes(`'${name}'`);
}
