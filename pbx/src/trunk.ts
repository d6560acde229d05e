import type { ConfPart } from './conf-file.ts';

/** An example for one carrier or one Janus gateway: addresses are the user's to fill in. */
export function trunkConf(): ConfPart {
  const lines = [
    '; Where calls come from: a carrier, or a Janus gateway that brings WebRTC callers as SIP. 192.0.2.10 stands for its',
    '; address, [trunk] for its name. Janus: register its SIP plugin as "guest" and call sip:NUMBER@this-pbx.',
    '[transport-udp]',
    'type = transport',
    'protocol = udp',
    'bind = 0.0.0.0:5060',
    '; Behind NAT:',
    ';local_net = 10.0.0.0/8',
    ';external_media_address = 203.0.113.5',
    ';external_signaling_address = 203.0.113.5',
    '',
    '[trunk]',
    'type = endpoint',
    'transport = transport-udp',
    'context = callfleet            ; the dialplan context above',
    'disallow = all',
    'allow = ulaw,alaw              ; what voice AIs take as it is; another codec costs transcoding',
    'direct_media = no              ; the audio must pass Asterisk, or no bot hears it',
    'dtmf_mode = rfc4733            ; gather() needs digits as events, not as tones',
    'rtp_symmetric = yes            ; with the next two: callers behind NAT',
    'force_rport = yes',
    'rewrite_contact = yes',
    'rtp_timeout = 60               ; seconds; ends calls whose caller vanished without a BYE',
    'trust_id_inbound = yes         ; the caller from P-Asserted-Identity',
    'aors = trunk',
    '',
    '[trunk]',
    'type = aor',
    'contact = sip:192.0.2.10:5060  ; for calls out',
    'qualify_frequency = 60',
    '',
    '[trunk]',
    'type = identify                ; who sends from this address is [trunk], without a password',
    'endpoint = trunk',
    'match = 192.0.2.10',
  ];
  return { title: 'pjsip.conf (example)', text: lines.join('\n') };
}
