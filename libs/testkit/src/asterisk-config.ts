import { stasisDialplan } from './dialplan.ts';

/** What one instance's configuration is made of. */
export interface AsteriskSettings {
  name: string;
  /** Default: made of the HTTP port. */
  entityId?: string | undefined;
  httpPort: number;
  sipPort: number;
  rtpPorts: readonly [first: number, last: number];
  username: string;
  password: string;
  codecs: readonly string[];
  apps: readonly string[];
  /** The instance's folder, as Asterisk sees it. */
  folder: string;
}

/** Modules that only complain of files that are missing here. To pick those that do load by hand breaks chan_pjsip. */
const NOT_LOADED = [
  ...['res_odbc', 'res_config_odbc', 'cdr_odbc', 'cel_odbc', 'cdr_adaptive_odbc', 'func_odbc', 'app_voicemail_odbc'],
  ...['res_config_pgsql', 'cdr_pgsql', 'cel_pgsql', 'res_config_sqlite3', 'cdr_sqlite3_custom', 'cel_sqlite3_custom'],
  ...[
    'cdr_csv',
    'cdr_custom',
    'cdr_manager',
    'cdr_radius',
    'cdr_tds',
    'cel_custom',
    'cel_manager',
    'cel_radius',
    'cel_tds',
  ],
  ...['res_config_ldap', 'res_snmp', 'res_statsd', 'res_odbc_transaction', 'res_smdi', 'res_stun_monitor', 'res_fax'],
  ...['res_calendar', 'res_calendar_icalendar', 'res_calendar_ews', 'res_calendar_caldav', 'res_calendar_exchange'],
  ...[
    'res_hep',
    'res_hep_rtcp',
    'res_hep_pjsip',
    'res_xmpp',
    'chan_motif',
    'res_phoneprov',
    'res_pjsip_phoneprov_provider',
  ],
  ...['chan_iax2', 'chan_unistim', 'chan_console', 'chan_dahdi', 'pbx_dundi', 'pbx_lua', 'pbx_ael', 'res_pjsip_notify'],
  ...[
    'app_voicemail',
    'app_voicemail_imap',
    'app_minivm',
    'app_festival',
    'app_alarmreceiver',
    'app_agent_pool',
    'app_amd',
  ],
  ...[
    'app_followme',
    'app_queue',
    'app_confbridge',
    'app_page',
    'res_parking',
    'res_adsi',
    'app_adsiprog',
    'app_getcpeid',
  ],
  ...[
    'res_aeap',
    'res_speech_aeap',
    'res_stir_shaken',
    'res_pjsip_stir_shaken',
    'res_geolocation',
    'res_pjsip_geolocation',
  ],
  ...['res_clialiases', 'res_pjsip_config_wizard', 'res_fax_spandsp', 'res_http_media_cache'],
];

/**
 * The files of an instance's configuration folder, by name. There are no others: a module whose file is missing takes its
 * defaults or does not load, so nothing listens but HTTP and SIP.
 */
export function asteriskConfig(settings: AsteriskSettings): Record<string, string> {
  const { name, httpPort, sipPort, rtpPorts, username, password, codecs, apps, folder } = settings;
  const entityId = settings.entityId ?? `02:00:00:00:${hex(httpPort >> 8)}:${hex(httpPort & 0xff)}`;
  return {
    'asterisk.conf': `
[directories]
astetcdir => ${folder}/etc
astrundir => ${folder}/run
astlogdir => ${folder}/log
astspooldir => ${folder}/spool
astdbdir => ${folder}/db
[options]
; Both, or two instances have the same asterisk_id and may give two channels one id.
systemname = ${name}
entityid = ${entityId}
maxfiles = 65000
nocolor = yes
`,
    'modules.conf': `
[modules]
autoload = yes
${NOT_LOADED.map((module) => `noload = ${module}.so`).join('\n')}
`,
    'logger.conf': `
[general]
[logfiles]
console => notice,warning,error
`,
    'http.conf': `
[general]
enabled = yes
bindaddr = 127.0.0.1
bindport = ${httpPort}
; The default of 100 would limit the media WebSockets of calls too.
sessionlimit = 2000
session_keep_alive = 15000
session_inactivity = 30000
`,
    'ari.conf': `
[general]
enabled = yes
; The default of 100 ms closes the socket of a client that is busy for a moment.
websocket_write_timeout = 1000
[${username}]
type = user
read_only = no
password = ${password}
`,
    'rtp.conf': `
[general]
rtpstart = ${rtpPorts[0]}
rtpend = ${rtpPorts[1]}
`,
    'pjsip.conf': `
[transport-udp]
type = transport
protocol = udp
bind = 127.0.0.1:${sipPort}
; Everybody on this machine; also the way out: Dial(PJSIP/loopback/sip:1001@127.0.0.1:5070)
[loopback]
type = endpoint
context = default
disallow = all
allow = ${codecs.join(',')}
direct_media = no
dtmf_mode = rfc4733
[loopback]
type = identify
endpoint = loopback
match = 127.0.0.1
; Phones that a test started, wherever they listen: Dial(PJSIP/phone/sip:agent@127.0.0.1:10001)
[phone]
type = endpoint
context = default
disallow = all
allow = ulaw
direct_media = no
dtmf_mode = rfc4733
`,
    'cdr.conf': `
[general]
enable = no
`,
    // For ARI's tone: media.
    'indications.conf': `
[general]
country = us
[us]
description = United States / North America
ringcadence = 2000,4000
dial = 350+440
busy = 480+620/500,0/500
ring = 440+480/2000,0/4000
congestion = 480+620/250,0/250
`,
    'extensions.conf': stasisDialplan(apps),
  };
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
