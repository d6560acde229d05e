import { loadConfig } from '@callfleet/config';
import { describe, expect, test } from 'vitest';
import { entityIdFor } from './instance.ts';
import { pbxSide } from './pbx-side.ts';

const PASSWORD = 's3;cret';

function side(
  variant: 'asterisk' | 'freepbx',
  pbx: object = {},
  env: NodeJS.ProcessEnv = {},
  showSecrets = false,
): string {
  const entry = { name: 'pbx-a', url: 'http://10.0.0.5:8088', username: 'callfleet', password: PASSWORD, ...pbx };
  const config = loadConfig({ env: { CALLFLEET_PBXS: JSON.stringify([entry]), ...env } });
  const [first] = config.pbxs;
  if (first === undefined) throw new Error('no PBX');
  return pbxSide(config, first, variant, { showSecrets });
}

/** Lines that Asterisk reads, comments cut off. */
function settings(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/(^|[^\\]);.*/, '$1').trim())
    .filter((line) => line !== '');
}

describe("a plain Asterisk's side", () => {
  test('has sections for all files, and limits above the defaults', () => {
    const text = side('asterisk');
    const titles = [...text.matchAll(/^;=+ (.+)$/gm)].map(([, title]) => title);
    expect(titles).toEqual([
      'http.conf',
      'ari.conf',
      'asterisk.conf',
      'rtp.conf',
      'modules.conf',
      'extensions.conf',
      'pjsip.conf (example)',
    ]);
    expect(settings(text)).toEqual(
      expect.arrayContaining([
        'sessionlimit = 2000',
        'websocket_write_timeout = 1000',
        'read_only = no',
        '[callfleet]',
      ]),
    );
  });

  test('keeps the password to itself until it is asked for', () => {
    expect(side('asterisk')).not.toContain(PASSWORD);
    expect(side('asterisk')).toContain('password = <the password of pbx-a in your callfleet.yaml>');
    expect(settings(side('asterisk', {}, {}, true))).toContain('password = s3\\;cret');
  });

  test('listens where the url says: address, port, prefix, TLS', () => {
    expect(settings(side('asterisk'))).toEqual(expect.arrayContaining(['bindaddr = 0.0.0.0', 'bindport = 8088']));
    expect(settings(side('asterisk', { url: 'http://localhost:9000/pbx' }))).toEqual(
      expect.arrayContaining(['bindaddr = 127.0.0.1', 'bindport = 9000', 'prefix = pbx']),
    );
    expect(settings(side('asterisk', { url: 'https://pbx.example.com:8089' }))).toEqual(
      expect.arrayContaining(['bindaddr = 127.0.0.1', 'tlsenable = yes', 'tlsbindaddr = 0.0.0.0:8089']),
    );
  });

  test('gives each PBX an entityid of its own, always the same', () => {
    expect(side('asterisk')).toContain(`entityid = ${entityIdFor('pbx-a')}`);
    expect(entityIdFor('pbx-a')).toMatch(/^02(:[0-9a-f]{2}){5}$/);
    expect(entityIdFor('pbx-b')).not.toBe(entityIdFor('pbx-a'));
  });

  test("names the modules of the relay's transport", () => {
    expect(side('asterisk')).toContain(';load = chan_rtp.so');
    const websocket = side('asterisk', {}, { CALLFLEET_RELAY__TRANSPORT: 'websocket' });
    expect(websocket).toContain(';load = chan_websocket.so');
    expect(websocket).not.toContain('chan_rtp.so');
    expect(websocket).toContain('20.18, 22.8, 23.2');
    const audiosocket = side('asterisk', {}, { CALLFLEET_RELAY__TRANSPORT: 'audiosocket' });
    expect(audiosocket).toContain(';load = chan_audiosocket.so');
  });

  test('warns of RTP ports that a relay on the same machine takes too', () => {
    expect(side('asterisk')).not.toContain('THEY MEET');
    expect(side('asterisk', {}, { CALLFLEET_RELAY__RTP__PORT_MIN: '15000' })).toContain('THEY MEET');
  });
});

describe("FreePBX's side", () => {
  test('has the dialplan for extensions_custom.conf, and says where the rest is in the GUI', () => {
    const text = side('freepbx', { shards: ['bots-1', 'bots-2'] });
    expect(text).toContain('/etc/asterisk/extensions_custom.conf');
    expect(settings(text)).toEqual(
      expect.arrayContaining(['[callfleet]', 'same => n(shard2),Stasis(bots-2)', '[from-internal-custom]']),
    );
    for (const place of ['Advanced Settings', 'Asterisk REST Interface Users', 'Custom Destinations', 'Trunks'])
      expect(text).toContain(place);
  });

  test('writes nothing into the files that FreePBX makes itself', () => {
    expect(settings(side('freepbx')).filter((line) => /sessionlimit|read_only|bindport/.test(line))).toEqual([]);
  });

  test('warns of a user name that its page would cut', () => {
    expect(side('freepbx')).not.toContain('too long');
    expect(side('freepbx', { username: 'callfleet-production' })).toContain('too long');
  });
});

test.each([
  ['asterisk', 'asterisk-side.conf'],
  ['freepbx', 'freepbx-side.conf'],
] as const)('pbx/ shows what is printed now (vitest -u writes it anew)', async (variant, file) => {
  await expect(side(variant)).toMatchFileSnapshot(`../${file}`);
});
