import { createInstanceFolder } from './instance-folder.ts';
import { part } from './parts.ts';
import { claimPort } from './port-claim.ts';
import { ServerProcess, type TestServer } from './server-process.ts';

export interface RedisServerOptions {
  /** Default false: it keeps nothing, and is empty after kill() and restart(). True: every write is on disk (AOF). */
  persistent?: boolean;
}

export interface RedisServer extends TestServer {
  /** `redis://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
}

/** A real redis-server on a port of its own. */
export async function startRedisServer({ persistent = false }: RedisServerOptions = {}): Promise<RedisServer> {
  const { command, args, root } = await part('redis-server');
  const port = await claimPort();
  const folder = await createInstanceFolder('redis', root);
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
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
  return Object.assign(server, { url: `redis://127.0.0.1:${port}`, port });
}
