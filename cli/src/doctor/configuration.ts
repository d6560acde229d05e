import { access, constants } from 'node:fs/promises';
import { type Config, isClassic, type ProgramConfig } from '@callfleet/config';
import { type Finding, Findings } from './finding.ts';

const about = new Findings('configuration');

/** What is wrong with the configuration in itself, before anything is connected. */
export function checkConfiguration(config: Config): Finding[] {
  const { pbxs, programs } = config;
  return [
    about.ok('readable', `${count(pbxs.length, 'PBX', 'PBXs')}, ${count(programs.length, 'program', 'programs')}`),
    ...(programs.length === 0 ? [noPrograms()] : []),
    ...pbxs.filter(({ shards }) => shards.length < 2).map(({ name }) => oneShard(name)),
    ...pbxs.filter(({ pool }) => pool !== config.worker.pool).map(({ name, pool }) => otherPool(name, pool, config)),
    ...relayAddress(config),
    ...dialIns(config),
    ...legs(config),
  ];
}

/** Whether the file is there. Whether it is a call program is for the worker to say, which loads it. */
export async function checkProgramFile({ name, file }: ProgramConfig): Promise<Finding[]> {
  const program = new Findings(`program ${name}`);
  try {
    await access(file, constants.R_OK);
    return [program.ok('file', file)];
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read';
    return [
      program.problem(
        'file',
        `${file} ${why}`,
        'mend programs[].file; a relative path begins at the configuration file',
      ),
    ];
  }
}

export function unusableConfiguration(problems: readonly string[]): Finding[] {
  return problems.map((problem) =>
    about.problem('readable', problem, 'mend the configuration; docs/configuration.md explains each key'),
  );
}

function noPrograms(): Finding {
  return about.warning(
    'programs',
    'there is no call program: every call goes back to the dialplan with CALLFLEET_STATUS=NOPROGRAM',
    'add one under programs',
  );
}

function oneShard(pbx: string): Finding {
  return about.warning(
    'shards',
    `${pbx} has one shard: while its gateway is replaced, new calls go to the fallback`,
    'give it two shards or more, and print its dialplan again with ./callfleet pbx-config',
  );
}

function otherPool(pbx: string, pool: string, { worker }: Config): Finding {
  return about.warning(
    'pool',
    `calls of ${pbx} go to the pool "${pool}", workers of this configuration serve "${worker.pool}"`,
    'right if other workers are started with another worker.pool; else give both one name',
  );
}

function relayAddress({ relay, pbxs }: Config): Finding[] {
  if (relay.transport === 'websocket') return [];
  const { advertisedAddress } = relay[relay.transport];
  if (!isLoopback(advertisedAddress)) return [];
  const far = pbxs.filter(({ url }) => url === undefined || !isLoopback(new URL(url).hostname));
  if (far.length === 0) return [];
  return [
    about.warning(
      'relay address',
      `${far.map(({ name }) => name).join(', ')} would send audio to ${advertisedAddress}, which is itself`,
      `set relay.${relay.transport}.advertisedAddress (of each relay) to the address that the PBXs reach it at`,
    ),
  ];
}

/** A password that anybody between can read lets him have the calls. */
function dialIns({ pbxs, gateway: { listen } }: Config): Finding[] {
  if (!listen || listen.tls || isLoopback(listen.host) || pbxs.every(isClassic)) return [];
  return [
    about.warning(
      'gateway.listen',
      'PBXs dial in without TLS: passwords, digits and numbers go over the network as they are',
      'set gateway.listen.tls, or have a proxy with TLS before it',
    ),
  ];
}

/** The same of audio. */
function legs({ relay: { transport, websocket } }: Config): Finding[] {
  const { listen } = websocket;
  if (transport !== 'websocket' || !listen || listen.tls || isLoopback(listen.host)) return [];
  return [
    about.warning(
      'relay.websocket.listen',
      'PBXs connect with their media legs without TLS: passwords and audio go over the network as they are',
      'set relay.websocket.listen.tls, or have a proxy with TLS before it',
    ),
  ];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || host.startsWith('127.');
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
