import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { encodeUlaw } from '@callfleet/media';
import { asteriskConfig } from './asterisk-config.ts';
import { run } from './command.ts';
import { createInstanceFolder, type InstanceFolder } from './instance-folder.ts';
import { type Part, part } from './parts.ts';
import { claimPbxPorts } from './port-claim.ts';
import { ServerProcess, type TestServer } from './server-process.ts';

export interface AsteriskOptions {
  /** Its system name, and the beginning of its channels' ids. Default `pbx-<http port>`, unique on this machine. */
  name?: string;
  /** Its `entityid`, as a MAC address. Default unique on this machine; the same for two makes them clones. */
  entityId?: string;
  /** The Stasis applications that calls in context `default` are offered to, in turn. Default none. */
  apps?: readonly string[];
  /** Configuration files by name (`ari.conf`, `extensions.conf`, ...): added, or in place of the testkit's own. `{etc}` in them is their folder. */
  files?: Readonly<Record<string, string>>;
  /** Of ARI. Default `callfleet`. */
  username?: string;
  /** Of ARI. Default `callfleet`. */
  password?: string;
  /** What callers may speak, best first. Default ulaw, alaw. */
  codecs?: readonly string[];
  /** Told each line of its log (notices, warnings, errors). */
  onLog?(line: string): void;
}

export interface Asterisk extends TestServer {
  readonly name: string;
  /** `http://127.0.0.1:port`; ARI is at `/ari` below it. */
  readonly httpUrl: string;
  readonly username: string;
  readonly password: string;
  readonly sipAddress: { readonly host: string; readonly port: number };
  /** What a command of Asterisk's console prints. */
  cli(command: string): Promise<string>;
  /** Channels that exist now. */
  channelCount(): Promise<number>;
  /** Makes 8 kHz audio playable on it. @returns its media URI for ARI's play, `sound:...` */
  addSound(name: string, pcm: Int16Array): Promise<string>;
}

const CLI_MS = 10_000;

/** A real Asterisk with ports and folders of its own, ready for ARI and SIP. */
export async function startAsterisk(options: AsteriskOptions = {}): Promise<Asterisk> {
  const program = await part('asterisk');
  const ports = await claimPbxPorts();
  const httpPort = ports.first;
  const sipPort = ports.first + 1;
  // RTP takes even ports, RTCP the odd ones above them.
  const firstRtpPort = ports.first + 10 + (ports.first % 2);
  const { name = `pbx-${httpPort}`, username = 'callfleet', password = 'callfleet' } = options;

  if (program.root) await writeHosts(program.root);
  const folder = await createInstanceFolder('asterisk', program.root);
  await writeInstance(folder, {
    ...asteriskConfig({
      name,
      entityId: options.entityId,
      httpPort,
      sipPort,
      rtpPorts: [firstRtpPort, ports.first + ports.count - 1],
      username,
      password,
      codecs: options.codecs ?? ['ulaw', 'alaw'],
      apps: options.apps ?? [],
      folder: folder.inside,
    }),
    ...options.files,
  });

  const configuration = ['-C', `${folder.inside}/etc/asterisk.conf`];
  const cli = (command: string) => runCli(program, configuration, command);
  const httpUrl = `http://127.0.0.1:${httpPort}`;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const server = await ServerProcess.start(
    {
      name: `Asterisk ${name}`,
      command: program.command,
      args: [...program.args, ...configuration, '-f'],
      onLine: (_, line) => options.onLog?.(line),
      ready: {
        async probe(signal) {
          const ping = await fetch(`${httpUrl}/ari/asterisk/ping`, { headers: { authorization }, signal });
          // ARI answers a moment before the last module is loaded.
          return ping.ok && (await cli('core waitfullybooted')).includes('fully booted');
        },
      },
      readyTimeoutMs: 30_000,
    },
    () => {
      ports.release();
      return folder.remove();
    },
  );
  return Object.assign(server, {
    name,
    httpUrl,
    username,
    password,
    sipAddress: { host: '127.0.0.1', port: sipPort },
    cli,
    async channelCount() {
      const answer = await cli('core show channels count');
      const found = /^(\d+) active channel/m.exec(answer);
      if (!found) throw new Error(`Asterisk did not count its channels: ${answer}`);
      return Number(found[1]);
    },
    async addSound(sound: string, pcm: Int16Array) {
      await writeFile(join(folder.path, 'sounds', `${sound}.ulaw`), encodeUlaw(pcm));
      return `sound:${folder.inside}/sounds/${sound}`;
    },
  });
}

async function writeInstance(folder: InstanceFolder, files: Readonly<Record<string, string>>): Promise<void> {
  for (const name of ['etc', 'run', 'log', 'spool', 'spool/recording', 'db', 'sounds'])
    await mkdir(join(folder.path, name));
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder.path, 'etc', name), text.replaceAll('{etc}', `${folder.inside}/etc`));
}

function runCli(program: Part, configuration: readonly string[], command: string): Promise<string> {
  return run(program.command, [...program.args, ...configuration, '-rx', command], { timeoutMs: CLI_MS });
}

/** Without a name server, pjsip stalls each call on a look-up of our own name, or of a root server's. */
async function writeHosts(root: string): Promise<void> {
  const hosts = `127.0.0.1 localhost ${hostname()} A.ROOT-SERVERS.NET\n`;
  const file = join(root, 'etc/hosts');
  if ((await readFile(file, 'utf8').catch(() => '')) === hosts) return;
  // Renamed into place: another Asterisk may start from the same root in this moment.
  const complete = `${file}.${randomUUID()}`;
  await writeFile(complete, hosts);
  await rename(complete, file);
}
