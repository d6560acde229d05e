import { type Config, isClassic, loadConfig, type PbxConfig } from '@callfleet/config';
import { pbxSide, VARIANTS, type Variant } from '@callfleet/pbx';

export interface PbxConfigOptions {
  /** Path of callfleet.yaml. Default: as for every command. */
  config?: string | undefined;
  /** Name of the PBX. */
  pbx: string;
  /** `asterisk` or `freepbx`. Default `asterisk`. */
  variant?: string | undefined;
  /** Print the ARI password instead of a placeholder. Default false: no secret is read, so none need be there. */
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
  const config = loadConfig({ file: options.config, secrets: options.showSecrets ? ['pbxs[].password'] : [] });
  const pbx = pbxOf(config, options.pbx);
  if (variant === 'freepbx' && !isClassic(pbx))
    throw new PbxConfigError(
      `${pbx.name} dials the gateways (mode: outbound): that is printed for plain Asterisk only`,
    );
  process.stdout.write(pbxSide(config, pbx, variant, options));
  return 0;
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
