import { type Config, isClassic, legListeners, type PbxConfig } from '@callfleet/config';
import { type AriConfOptions, ariConf } from './ari.ts';
import { type ConfPart, renderParts } from './conf-file.ts';
import { extensionsConf } from './dialplan.ts';
import { freepbxParts } from './freepbx.ts';
import { httpConf } from './http.ts';
import { asteriskConf, rtpConf } from './instance.ts';
import { modulesConf } from './modules.ts';
import { outboundAriConf } from './outbound.ts';
import { trunkConf } from './trunk.ts';
import { websocketClientConf } from './websocket-client.ts';

export const VARIANTS = ['asterisk', 'freepbx'] as const;
export type Variant = (typeof VARIANTS)[number];

/** One PBX's side as a text: for plain Asterisk it is valid as .conf files, cut at the titles. */
export function pbxSide(config: Config, pbx: PbxConfig, variant: Variant, options: AriConfOptions = {}): string {
  const parts = variant === 'freepbx' ? freepbxParts(config, pbx, options) : asteriskParts(config, pbx, options);
  return renderParts(preamble(config, pbx, variant), parts);
}

export function asteriskParts(config: Config, pbx: PbxConfig, options: AriConfOptions): ConfPart[] {
  return [
    httpConf(pbx),
    isClassic(pbx) ? ariConf(pbx, options) : outboundAriConf(pbx, options),
    ...websocketClientConf(config, pbx, options),
    asteriskConf(pbx),
    rtpConf(config),
    modulesConf(config),
    extensionsConf(pbx.shards),
    trunkConf(),
  ];
}

function preamble(config: Config, pbx: PbxConfig, variant: Variant): string {
  const where =
    variant === 'freepbx'
      ? '; FreePBX: comments are for the GUI, the rest goes into the files that are named.'
      : '; Merge each part into the file of its name in /etc/asterisk; where a setting is there already, change it.';
  return [
    `; The side of ${pbx.name} (${pbx.url ?? 'it dials the gateways'}, shards ${pbx.shards.join(', ')}) for Callfleet.`,
    floor(config, pbx),
    where,
    ...(isClassic(pbx)
      ? dialledByRelaysOnly(config)
      : ['; A gateway that dies may crash this Asterisk (seen on 22.10.1): read docs/outbound.md first.']),
    "; Then: asterisk -rx 'core restart when convenient', and ./callfleet doctor.",
  ].join('\n');
}

function dialledByRelaysOnly(config: Config): string[] {
  if (legListeners(config).length > 0) return [];
  return ['; websocket_client.conf: nothing to do. Callfleet dials Asterisk, never the other way round.'];
}

function floor({ relay }: Config, pbx: PbxConfig): string {
  if (relay.transport === 'websocket')
    return '; Media legs over WebSocket (relay.transport) need Asterisk 20.18, 22.8, 23.2 or newer.';
  if (!isClassic(pbx)) return '; A PBX that dials the gateways needs Asterisk 20.15, 22.5, 23.0 or newer.';
  return '; Any Asterisk from 20 on will do; from 20.14, 22.4 and 23.0 on commands are faster.';
}
