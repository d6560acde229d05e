import { type Config, ConfigError, loadConfig } from '@callfleet/config';
import { bounded } from './bounded-check.ts';
import { checkConfiguration, checkProgramFile, unusableConfiguration } from './configuration.ts';
import { type Finding, Findings } from './finding.ts';
import { checkNats } from './nats.ts';
import { examinePbx } from './pbx.ts';
import { checkIdentities } from './pbx-identity.ts';
import { checkRedis } from './redis.ts';

export interface DoctorOptions {
  /** Path of callfleet.yaml. Default: as for every command. */
  config?: string | undefined;
  /** Time limit of each check, milliseconds. Default 5000. */
  limitMs?: number | undefined;
}

/** Tries everything that a configuration names. Changes nothing, and takes nothing from a fleet that runs. */
export async function runDoctor({ config: file, limitMs = 5000 }: DoctorOptions = {}): Promise<Finding[]> {
  let config: Config;
  try {
    config = loadConfig({ file });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return unusableConfiguration(error.problems);
  }
  const connectMs = limitMs * 0.6;
  const [pbxs, nats, redis, programs] = await Promise.all([
    Promise.all(config.pbxs.map((pbx) => examinePbx(config, pbx, limitMs))),
    bounded(new Findings('nats'), 'reachable', limitMs, () =>
      // They are tried in turn.
      checkNats(config, connectMs / config.nats.servers.length),
    ),
    bounded(new Findings('redis'), 'reachable', limitMs, () => checkRedis(config, connectMs)),
    Promise.all(config.programs.map(checkProgramFile)),
  ]);
  return [
    ...checkConfiguration(config),
    ...pbxs.flatMap(({ findings }) => findings),
    ...checkIdentities(pbxs.flatMap(({ known }) => known ?? [])),
    ...nats,
    ...redis,
    ...programs.flat(),
  ];
}
