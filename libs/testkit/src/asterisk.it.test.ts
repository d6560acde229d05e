import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { tone } from '@callfleet/media';
import { expect, test } from 'vitest';
import { startAsterisk } from './mod.ts';
import { part } from './parts.ts';

const authorization = `Basic ${Buffer.from('callfleet:callfleet').toString('base64')}`;

/** Folders of Asterisks that this process started. */
async function ownFolders(): Promise<string[]> {
  const { root } = await part('asterisk');
  const names = await readdir(root ? `${root}/srv/callfleet` : `/tmp/callfleet-${process.getuid?.()}`);
  return names.filter((name) => name.startsWith(`asterisk.${process.pid}.`));
}

test('two Asterisks serve ARI side by side, each as itself, and leave nothing', async () => {
  const both = await Promise.all([startAsterisk({ name: 'pbx-a' }), startAsterisk({ name: 'pbx-b', username: 'bot' })]);
  const [a, b] = both;
  expect(await ownFolders()).toHaveLength(2);
  const info = await fetch(`${a.httpUrl}/ari/asterisk/info`, { headers: { authorization } });
  expect(await info.json()).toMatchObject({ config: { name: 'pbx-a' } });
  expect((await fetch(`${b.httpUrl}/ari/asterisk/info`, { headers: { authorization } })).status).toBe(401);
  expect(new Set([a.httpUrl, b.httpUrl, a.sipAddress.port, b.sipAddress.port]).size).toBe(4);
  expect(await Promise.all(both.map((pbx) => pbx.channelCount()))).toEqual([0, 0]);

  await Promise.all(both.map((pbx) => pbx.stop()));
  expect(await ownFolders()).toEqual([]);
  for (const { pid } of both) await expect(access(`/proc/${pid}`)).rejects.toThrow('ENOENT');
});

test('an Asterisk that was killed comes back where it was', async () => {
  const pbx = await startAsterisk();
  await pbx.kill();
  await expect(fetch(`${pbx.httpUrl}/ari/asterisk/ping`)).rejects.toThrow();
  await expect(pbx.cli('core show version')).rejects.toMatchObject({ code: 'CF_CHILD_EXITED' });
  await pbx.restart();
  expect((await fetch(`${pbx.httpUrl}/ari/asterisk/ping`, { headers: { authorization } })).status).toBe(200);
  await pbx.stop();
});

test('files of its configuration can be added and replaced, and sounds be put on it', async () => {
  const pbx = await startAsterisk({
    apps: ['first'],
    files: {
      'features.conf': '[featuremap]\ndisconnect = *7\n',
      'extensions.conf': '[mine]\nexten => 1,1,Answer()\n',
    },
  });
  expect(await pbx.cli('dialplan show')).toContain("'1' =>");
  expect(await pbx.cli('dialplan show')).not.toContain('Stasis');
  expect(await pbx.cli('features show')).toContain('*7');
  const sound = await pbx.addSound('beep', tone({ hz: 500, ms: 300, sampleRate: 8000 }));
  expect(sound).toMatch(/^sound:\/.*\/sounds\/beep$/);
  expect(await pbx.cli(`file convert ${sound.slice('sound:'.length)}.ulaw /tmp/beep-${pbx.pid}.sln`)).toContain(
    'Converted',
  );
  await pbx.stop();
});

test('a process that is killed leaves no Asterisk, and the next one clears its folder away', async () => {
  const source = `
    import { startAsterisk } from ${JSON.stringify(import.meta.resolve('./mod.ts'))};
    const { pid } = await startAsterisk();
    console.log(pid);
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(owner.stdout), 'line');
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  const state = () => readFile(`/proc/${line}/stat`, 'utf8').catch(() => 'gone');
  for (let i = 0; i < 100 && !/gone|\) Z/.test(await state()); i += 1) await sleep(20);
  expect(await state()).toMatch(/gone|\) Z/);

  const pbx = await startAsterisk();
  const { root } = await part('asterisk');
  const names = await readdir(root ? `${root}/srv/callfleet` : `/tmp/callfleet-${process.getuid?.()}`);
  expect(names.filter((name) => name.startsWith(`asterisk.${owner.pid}.`))).toEqual([]);
  await pbx.stop();
});
