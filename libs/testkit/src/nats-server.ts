import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInstanceFolder } from './instance-folder.ts';
import { part } from './parts.ts';
import { claimPort } from './port-claim.ts';
import { ServerProcess, type TestServer } from './server-process.ts';

export interface NatsServerOptions {
  /** Lines added to its configuration, in the syntax of nats-server. */
  config?: string;
}

export interface NatsServer extends TestServer {
  /** `nats://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  /** Of its HTTP monitoring: `/varz`, `/jsz`, `/connz`. */
  readonly monitorUrl: string;
  /** It goes on with other lines, in place of `config`, as after a reload (SIGHUP). */
  reconfigure(config: string): Promise<void>;
}

/** A real nats-server with JetStream, on a port and in a store of its own. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const { command, args } = await part('nats-server');
  const port = await claimPort();
  const monitorPort = await claimPort();
  const folder = await createInstanceFolder('nats');
  const configFile = join(folder.path, 'nats.conf');
  const write = (config: string) =>
    writeFile(
      configFile,
      `
server_name: "testkit-${port}"
listen: "127.0.0.1:${port}"
http: "127.0.0.1:${monitorPort}"
jetstream { store_dir: "${folder.path}" }
${config}
`,
    );
  await write(options.config ?? '');
  const server = await ServerProcess.start(
    {
      name: 'nats-server',
      command,
      args: [...args, '--config', configFile],
      ready: { line: (line) => line.includes('Server is ready') },
    },
    folder.remove,
  );
  return Object.assign(server, {
    url: `nats://127.0.0.1:${port}`,
    port,
    monitorUrl: `http://127.0.0.1:${monitorPort}`,
    async reconfigure(config: string) {
      await write(config);
      process.kill(server.pid, 'SIGHUP');
    },
  });
}
