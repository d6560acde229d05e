import { type Config, loadConfig, type PbxConfig } from '@callfleet/config';
import { type AriConfOptions, ariConf } from './ari.ts';
import { type ConfPart, renderParts } from './conf-file.ts';
import { extensionsConf } from './dialplan.ts';
import { freepbxParts } from './freepbx.ts';
import { httpConf } from './http.ts';
import { asteriskConf, rtpConf } from './instance.ts';
import { modulesConf } from './modules.ts';
import { trunkConf } from './trunk.ts';

const VARIANTS = ['asterisk', 'freepbx'] as const;
type Variant = (typeof VARIANTS)[number];

export interface PbxConfigOptions {
  /** Path of callfleet.yaml. Default: as for every command. */
  config?: string | undefined;
  /** Name of the PBX. */
  pbx: string;
  /** `asterisk` or `freepbx`. Default `asterisk`. */
  variant?: string | undefined;
  /** Print the ARI password instead of a placeholder. Default false. */
  showSecrets?: boolean | undefined;
}

/** What was asked for is not there. */
class PbxConfigError extends Error {
  override readonly name = 'PbxConfigError';
  readonly code = 'CF_PBX_CONFIG_REFUSED';
}

/** Prints one PBX's side. @returns the exit code @throws ConfigError, PbxConfigError */
export async function pbxConfigCommand(options: PbxConfigOptions): Promise<number> {
  const variant = variantOf(options.variant);
  const config = loadConfig({ file: options.config });
  process.stdout.write(pbxSide(config, pbxOf(config, options.pbx), variant, options));
  return 0;
}

/** One PBX's side as a text: for plain Asterisk it is valid as .conf files, cut at the titles. */
export function pbxSide(config: Config, pbx: PbxConfig, variant: Variant, options: AriConfOptions = {}): string {
  const parts = variant === 'freepbx' ? freepbxParts(config, pbx, options) : asteriskParts(config, pbx, options);
  return renderParts(preamble(config, pbx, variant), parts);
}

export function asteriskParts(config: Config, pbx: PbxConfig, options: AriConfOptions): ConfPart[] {
  return [
    httpConf(pbx),
    ariConf(pbx, options),
    asteriskConf(pbx),
    rtpConf(config),
    modulesConf(config),
    extensionsConf(pbx.shards),
    trunkConf(),
  ];
}

function preamble(config: Config, pbx: PbxConfig, variant: Variant): string {
  const floor =
    config.relay.transport === 'websocket'
      ? '; Media legs over WebSocket (relay.transport) need Asterisk 20.18, 22.8, 23.2 or newer.'
      : '; Any Asterisk from 20 on will do; from 20.14, 22.4 and 23.0 on commands are faster.';
  const where =
    variant === 'freepbx'
      ? '; FreePBX: comments are for the GUI, the rest goes into the files that are named.'
      : '; Merge each part into the file of its name in /etc/asterisk; where a setting is there already, change it.';
  return [
    `; The side of ${pbx.name} (${pbx.url}, shards ${pbx.shards.join(', ')}) for Callfleet.`,
    floor,
    where,
    '; websocket_client.conf: nothing to do. Callfleet dials Asterisk, never the other way round.',
    "; Then: asterisk -rx 'core restart when convenient', and ./callfleet doctor.",
  ].join('\n');
}

function variantOf(name = 'asterisk'): Variant {
  const variant = VARIANTS.find((known) => known === name);
  if (variant === undefined)
    throw new PbxConfigError(`there is no variant "${name}"; accepted: ${VARIANTS.join(', ')}`);
  return variant;
}

function pbxOf({ pbxs }: Config, name: string): PbxConfig {
  const pbx = pbxs.find((candidate) => candidate.name === name);
  if (pbx === undefined)
    throw new PbxConfigError(
      `there is no PBX "${name}" in the configuration; there is ${pbxs.map((known) => known.name).join(', ')}`,
    );
  return pbx;
}
