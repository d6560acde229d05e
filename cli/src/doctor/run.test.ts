import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { bounded } from './bounded-check.ts';
import { doctorCommand } from './command.ts';
import { PASSWORD, startFakePbx } from './fake-pbx.ts';
import { Findings } from './finding.ts';
import { runDoctor } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'callfleet-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.restoreAllMocks());

function configFile(yaml: string): string {
  const file = join(folder, 'callfleet.yaml');
  writeFileSync(file, yaml);
  return file;
}

async function output(options: Parameters<typeof doctorCommand>[0]): Promise<{ exitCode: number; text: string }> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += chunk;
    return true;
  });
  const exitCode = await doctorCommand(options);
  vi.restoreAllMocks();
  return { exitCode, text };
}

test('a configuration that cannot be used is the only finding, one for each key', async () => {
  const findings = await runDoctor({ config: configFile('pbxs: []\nredis: { uri: x }\n') });
  expect(findings).toHaveLength(2);
  expect(findings).toMatchObject([{ level: 'problem' }, { subject: 'configuration', level: 'problem' }]);
});

test('everything is looked at, whatever else is broken, and shared identities are seen', async () => {
  const one = await startFakePbx();
  const two = await startFakePbx({ startedAt: '2026-02-02T00:00:00.000+0000' });
  const file = configFile(`
pbxs:
  - { name: a, url: ${one.url}, username: callfleet, password: ${PASSWORD} }
  - { name: b, url: ${two.url}, username: callfleet, password: ${PASSWORD} }
  - { name: c, url: "http://127.0.0.1:1", username: callfleet, password: ${PASSWORD} }
programs: [{ name: bot, file: ./none.ts, extensions: ["1"] }]
nats: { servers: ["127.0.0.1:1"] }
redis: { url: "redis://127.0.0.1:1" }
`);
  const findings = await runDoctor({ config: file, limitMs: 2000 });
  await Promise.all([one.close(), two.close()]);
  const problems = findings.filter(({ level }) => level === 'problem').map(({ subject }) => subject);
  expect(problems).toEqual(['pbx c', 'pbx b', 'nats', 'redis', 'program bot']);
  expect(findings).toContainEqual(expect.objectContaining({ subject: 'pbx b', check: 'entityid', level: 'problem' }));
});

test('the command prints groups, and exits with 1 for a problem', async () => {
  const { exitCode, text } = await output({ config: configFile('pbxs: []\n') });
  expect(exitCode).toBe(1);
  expect(text).toMatch(/^configuration\n {2}✖ readable {2}.*\n.*→ /);
  expect(text).toMatch(/\n1 problem\. docs\/doctor\.md explains each\.\n$/);
});

test('or prints JSON', async () => {
  const { text } = await output({ config: configFile('pbxs: []\n'), json: true });
  expect(JSON.parse(text)).toMatchObject([{ subject: 'configuration', check: 'readable', level: 'problem' }]);
});

test('a check that hangs or throws is a finding', async () => {
  const about = new Findings('x');
  expect(await bounded(about, 'slow', 10, () => new Promise(() => {}))).toMatchObject([
    { check: 'slow', level: 'problem', found: 'no result within 10 ms' },
  ]);
  const broken = await bounded(about, 'broken', 1000, () => Promise.reject(new Error('why')));
  expect(broken).toMatchObject([{ check: 'broken', level: 'problem', found: 'could not be checked: why' }]);
});
