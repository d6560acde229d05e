import { expect, test } from 'vitest';
import { pbxConfigCommand } from './command.ts';

test('a PBX or a variant that is not there is refused, with what is there', async () => {
  const env = { CALLFLEET_PBXS: '[{ name: a, url: "http://a:8088", username: u, password: p }]' };
  Object.assign(process.env, env);
  try {
    await expect(pbxConfigCommand({ pbx: 'b' })).rejects.toThrow(
      'there is no PBX "b" in the configuration; there is a',
    );
    await expect(pbxConfigCommand({ pbx: 'a', variant: 'x' })).rejects.toThrow('accepted: asterisk, freepbx');
  } finally {
    delete process.env.CALLFLEET_PBXS;
  }
});
