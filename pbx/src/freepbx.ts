import type { Config, PbxConfig } from '@callfleet/config';
import { type AriConfOptions, passwordFor } from './ari.ts';
import type { ConfPart } from './conf-file.ts';
import { dialplanFor, fallbackContext } from './dialplan.ts';
import { httpAddressOf } from './http.ts';
import { optionLines } from './instance.ts';
import { DIALPLAN_MODULES, requiredModules } from './modules.ts';
import { websocketClientConf } from './websocket-client.ts';

/** FreePBX's table of ARI users keeps this many characters of a name. */
const LONGEST_USER = 15;

/**
 * FreePBX writes http.conf, ari.conf and extensions.conf anew at every Apply Config, so its side is GUI settings and the
 * *_custom files, which it leaves alone.
 */
export function freepbxParts(config: Config, pbx: PbxConfig, options: AriConfOptions): ConfPart[] {
  return [
    advancedSettings(pbx),
    ariUser(pbx, options),
    ...websocketClientConf(config, pbx, options).map((part) => ({ ...part, title: `/etc/asterisk/${part.title}` })),
    optionsFile(pbx),
    modulesFile(config),
    customDialplan(pbx),
    destination(),
    trunk(),
  ];
}

function advancedSettings(pbx: PbxConfig): ConfPart {
  const { tls, port, prefix, bindAddress } = httpAddressOf(pbx);
  const address = tls
    ? [
        ';   Enable TLS for the mini-HTTP Server   Yes',
        `;   HTTPS Bind Address                    ${bindAddress}`,
        `;   HTTPS Bind Port                       ${port}`,
        ';   HTTPS TLS Certificate Location        a certificate that names the host of the url in callfleet.yaml',
        ';   HTTPS TLS Private Key Location        its key',
      ]
    : [`;   HTTP Bind Address                     ${bindAddress}`, `;   HTTP Bind Port                        ${port}`];
  return comments('GUI: Settings > Advanced Settings', [
    '; Asterisk Builtin mini-HTTP server',
    ';   Enable the mini-HTTP Server           Yes',
    ...address,
    `;   HTTP Prefix                           ${prefix === '' ? '(empty)' : prefix}`,
    ';   Session Limit                         2000',
    ';   Session Inactivity                    30000',
    '; Asterisk REST Interface',
    ';   Enable the Asterisk REST Interface    Yes',
    ';   Web Socket Write Timeout              1000',
    '; A changed bind address or port needs a restart of Asterisk. Set the session values here and not in',
    '; http_custom.conf, from which FreePBX removes them. Firewall: let only Callfleet reach this port.',
  ]);
}

function ariUser(pbx: PbxConfig, options: AriConfOptions): ConfPart {
  const tooLong =
    pbx.username.length > LONGEST_USER
      ? [`; "${pbx.username}" is too long for this page, which keeps ${LONGEST_USER} characters: choose a shorter one.`]
      : [];
  return comments('GUI: Settings > Asterisk REST Interface Users > Add User', [
    `;   REST Interface User Name       ${pbx.username}`,
    `;   REST Interface User Password   ${passwordFor(pbx, options)}`,
    ';   Password Type                  Plain Text, or Crypt: about a millisecond of CPU for each HTTP request',
    ';   Read Only                      No',
    ...tooLong,
    '; Without the GUI: the same user as a section of /etc/asterisk/ari_additional_custom.conf (print this without',
    '; --variant freepbx). Settings of [general], such as channelvars, go into ari_general_custom.conf.',
  ]);
}

function optionsFile(pbx: PbxConfig): ConfPart {
  const text = [
    '; Add to the [options] that are there. FreePBX has no page for these: look after updates whether they are still there.',
    ...optionLines(pbx),
  ];
  return { title: '/etc/asterisk/asterisk.conf', text: text.join('\n') };
}

function modulesFile({ relay }: Config): ConfPart {
  return comments('/etc/asterisk/modules.conf', [
    '; Nothing to add: FreePBX loads every module that is installed. These must be, and no noload line may name them',
    "; (asterisk -rx 'module show like NAME', or ./callfleet doctor):",
    ...[...requiredModules(relay.transport), ...DIALPLAN_MODULES].map((module) => `;   ${module}`),
  ]);
}

function customDialplan(pbx: PbxConfig): ConfPart {
  const humans = [
    'same => n,Goto(ext-queues,600,1)          ; queue 600',
    'same => n,Goto(from-internal,100,1)       ; extension 100, with its follow-me and voicemail',
  ];
  const internal = [
    '[from-internal-custom]',
    "; If the file has this context, add the line there. For tests from the PBX's own phones: 7000 is for the call",
    '; program of 7000.',
    'exten => 7000,1,Goto(callfleet,${EXTEN},1)',
  ];
  const text = `${dialplanFor({ shards: pbx.shards })}\n${fallbackContext(humans)}\n${internal.join('\n')}`;
  return { title: '/etc/asterisk/extensions_custom.conf', text };
}

function destination(): ConfPart {
  return comments('GUI: Admin > Custom Destinations, then Connectivity > Inbound Routes', [
    ';   Target        callfleet,${FROM_DID},1    (not ${EXTEN}: there it is FreePBX\'s own "dest-1")',
    ';   Description   Callfleet',
    ';   Return        No',
    '; Then give an Inbound Route the destination Custom Destinations: Callfleet. The route needs a DID Number: without',
    '; one FROM_DID may be "s", which no call program is for.',
  ]);
}

function trunk(): ConfPart {
  return comments('GUI: Connectivity > Trunks > Add SIP (chan_pjsip) Trunk', [
    '; For a carrier, or a Janus gateway that brings WebRTC callers as SIP. 192.0.2.10 stands for its address.',
    ';   General:  Trunk Name        callfleet-trunk',
    ';   pjsip Settings, General:',
    ';             Authentication    None, or as the carrier says',
    ';             Registration      None, or as the carrier says',
    ';             SIP Server        192.0.2.10',
    ';             SIP Server Port   5060',
    ';             Context           from-pstn: through Inbound Routes;  callfleet: every call of this trunk, at once',
    ';   pjsip Settings, Advanced:',
    ';             DTMF Mode         RFC 4733',
    ';             Match (Permit)    192.0.2.10',
    ';             Direct Media      No',
    ';             Rewrite Contact   Yes',
    ';             RTP Symmetric     Yes',
    ';   pjsip Settings, Codecs:     ulaw and alaw, no others',
    '; Then Apply Config.',
  ]);
}

function comments(title: string, lines: readonly string[]): ConfPart {
  return { title, text: lines.join('\n') };
}
