import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseAsteriskVersion } from '../src/asterisk-version.ts';
import { type ApiDocs, Resource, ResourceList } from './api-docs.ts';

/**
 * Reads the api-docs of an Asterisk.
 * @param source a directory (`/usr/share/asterisk/rest-api`), or the address of a running one
 *   (`http://user:password@127.0.0.1:8088/ari/api-docs`)
 * @param version the release that a directory belongs to, since its files do not say it; a running Asterisk does
 */
export async function readApiDocs(source: string, version: string | undefined): Promise<ApiDocs> {
  const read = /^https?:/.test(source) ? overHttp(source) : fromDirectory(source, version);
  const list = ResourceList.parse(await read.json('resources.json'));
  const resources = [];
  for (const { path } of list.apis) {
    const name = path.replace('/api-docs/', '').replace('.{format}', '');
    resources.push({ name, ...Resource.parse(await read.json(`${name}.json`)) });
  }
  return { version: releaseOf(await read.version()), resources };
}

interface Reader {
  json(file: string): Promise<unknown>;
  version(): Promise<string>;
}

function fromDirectory(directory: string, version: string | undefined): Reader {
  return {
    json: async (file) => JSON.parse(await readFile(join(directory, file), 'utf8')),
    version: async () => {
      if (version !== undefined) return version;
      throw new Error(
        `${directory} does not say its Asterisk's version: give it as the second argument, such as 22.10.1`,
      );
    },
  };
}

function overHttp(address: string): Reader {
  const url = new URL(address);
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const base = `${url.origin}${url.pathname.replace(/\/$/, '')}`;
  const get = async (file: string): Promise<unknown> => {
    const response = await fetch(`${base}/${file}`, {
      headers: { authorization },
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`${base}/${file} answers ${response.status} ${response.statusText}`);
    return response.json();
  };
  return {
    json: get,
    version: async () => AsteriskInfo.parse(await get('../asterisk/info')).system.version,
  };
}

const AsteriskInfo = z.object({ system: z.object({ version: z.string() }) });

/** Without the packager's suffix, so that the output is the same from any distribution. */
function releaseOf(text: string): string {
  const version = parseAsteriskVersion(text);
  return version.release === undefined ? version.text : version.release.join('.');
}
