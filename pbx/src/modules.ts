import type { Config } from '@callfleet/config';
import type { ConfPart } from './conf-file.ts';

type Transport = Config['relay']['transport'];

const ALWAYS = [
  'res_http_websocket.so',
  'res_ari.so',
  'res_ari_model.so',
  'res_ari_applications.so',
  'res_ari_asterisk.so',
  'res_ari_bridges.so',
  'res_ari_channels.so',
  'res_ari_events.so',
  'res_ari_playbacks.so',
  'res_ari_recordings.so',
  'res_stasis.so',
  'res_stasis_answer.so',
  'res_stasis_playback.so',
  'res_stasis_recording.so',
  'res_stasis_snoop.so',
  'app_stasis.so',
  'bridge_simple.so',
  'bridge_softmix.so',
  'bridge_holding.so',
  'codec_ulaw.so',
  'codec_alaw.so',
] as const;

/** What the dialplan that we print calls besides Stasis(): RAND and INC. */
export const DIALPLAN_MODULES: readonly string[] = ['func_math.so', 'func_rand.so'];

const FOR_TRANSPORT: Readonly<Record<Transport, readonly string[]>> = {
  websocket: ['chan_websocket.so', 'res_websocket_client.so'],
  rtp: ['chan_rtp.so', 'res_rtp_asterisk.so'],
  audiosocket: ['chan_audiosocket.so', 'res_audiosocket.so'],
};

/** Modules without which calls or their media legs do not work. */
export function requiredModules(transport: Transport): readonly string[] {
  return [...ALWAYS, ...FOR_TRANSPORT[transport]];
}

export function modulesConf({ relay }: Pick<Config, 'relay'>): ConfPart {
  const lines = [
    '[modules]',
    '; With autoload=yes there is nothing to add, as long as no noload line names one of these (with transport',
    `; "${relay.transport}" of relay.transport in callfleet.yaml). A list by hand needs them and what they depend on.`,
    'autoload = yes',
    ...[...requiredModules(relay.transport), ...DIALPLAN_MODULES].map((module) => `;load = ${module}`),
  ];
  return { title: 'modules.conf', text: lines.join('\n') };
}
