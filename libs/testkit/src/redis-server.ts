import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificateFiles } from './certificates.ts';
import { createInstanceFolder } from './instance-folder.ts';
import { part } from './parts.ts';
import { claimPort } from './port-claim.ts';
import { ServerProcess, type TestServer } from './server-process.ts';

export interface RedisServerOptions {
  /** Default false: it keeps nothing, and is empty after kill() and restart(). True: every write is on disk (AOF). */
  persistent?: boolean;
  /** What its `aclfile` says. Default: whoever connects may do everything. */
  acl?: string;
  /** It speaks TLS alone, and asks for a client's certificate if `clients` says so. */
  tls?: CertificateFiles & { readonly clients: 'any' | 'certified' };
}

export interface RedisServer extends TestServer {
  /** `redis://127.0.0.1:port`, `rediss://` with TLS */
  readonly url: string;
  readonly port: number;
}

const TLS_FILES = ['caFile', 'certFile', 'keyFile'] as const;

/** A real redis-server on a port of its own. */
export async function startRedisServer({
  persistent = false,
  acl,
  tls,
}: RedisServerOptions = {}): Promise<RedisServer> {
  const { command, args, root } = await part('redis-server');
  const port = await claimPort();
  const folder = await createInstanceFolder('redis', root);
  if (acl !== undefined) await writeFile(join(folder.path, 'users.acl'), acl);
  if (tls) for (const name of TLS_FILES) await copyFile(tls[name], join(folder.path, name));
  const inside = (name: string) => join(folder.inside, name);
  const settings = {
    bind: '127.0.0.1',
    ...(acl !== undefined && { aclfile: inside('users.acl') }),
    ...(tls
      ? {
          port: '0',
          'tls-port': String(port),
          'tls-ca-cert-file': inside('caFile'),
          'tls-cert-file': inside('certFile'),
          'tls-key-file': inside('keyFile'),
          'tls-auth-clients': tls.clients === 'certified' ? 'yes' : 'no',
        }
      : { port: String(port) }),
    dir: folder.inside,
    save: '',
    appendonly: persistent ? 'yes' : 'no',
    appendfsync: 'always',
  };
  const server = await ServerProcess.start(
    {
      name: 'redis-server',
      command,
      args: [...args, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])],
      ready: { line: (line) => line.includes('Ready to accept connections') },
    },
    folder.remove,
  );
  return Object.assign(server, { url: `${tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`, port });
}
