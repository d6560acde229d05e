import type { PbxConfig } from '@callfleet/config';
import { type ConfPart, confValue } from './conf-file.ts';

export interface AriConfOptions {
  /** Print the password itself. Default false: a placeholder, fit for tickets and chats. */
  readonly showSecrets?: boolean | undefined;
}

export function ariConf(pbx: PbxConfig, options: AriConfOptions = {}): ConfPart {
  const lines = [
    '[general]',
    'enabled = yes',
    '; Asterisk closes an event socket (1011) that takes a write no faster than this; its default of 100 ms is too short',
    '; for a burst of calls. Milliseconds.',
    'websocket_write_timeout = 1000',
    '; allowed_origins is for browsers. Callfleet is none: leave it out.',
    '; Channel variables that call programs find in call.variables. Each is sent with every event of every channel, so',
    '; name only those that programs need.',
    ';channelvars = CUSTOMER_ID,CAMPAIGN',
    '',
    `[${pbx.username}]`,
    'type = user',
    'read_only = no                 ; Callfleet answers, plays, bridges and hangs up',
    `password = ${passwordFor(pbx, options)}`,
    "password_format = plain        ; or crypt (asterisk -rx 'ari mkpasswd ...'): about 1 ms of CPU for each HTTP request",
    '; Only Callfleet needs this user:',
    ';deny = 0.0.0.0/0.0.0.0',
    ';permit = 192.0.2.0/255.255.255.0',
  ];
  return { title: 'ari.conf', text: lines.join('\n') };
}

export function passwordFor(pbx: PbxConfig, { showSecrets = false }: AriConfOptions): string {
  return showSecrets ? confValue(pbx.password) : `<the password of ${pbx.name} in your callfleet.yaml>`;
}
