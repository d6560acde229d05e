import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { startTestFleet } from './test-fleet.ts';

const CLI = fileURLToPath(new URL('../cli/src/main.ts', import.meta.url));
const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

interface Command {
  readonly child: ChildProcess;
  output: string;
  readonly ended: Promise<number>;
}

function callfleet(...args: string[]): Command {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  const command: Command = { child, output: '', ended: once(child, 'close').then(([code]) => code as number) };
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      command.output += chunk.toString();
    });
  return command;
}

/** Processes whose command line names this text. */
function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        // The environment, since services have nothing of their own in their command line.
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(text) ? [pid] : [];
      } catch {
        return [];
      }
    });
}

test('demo --once places ten calls, proves them, and exits 0', async () => {
  const demo = callfleet('demo', '--once');
  expect(await demo.ended, demo.output).toBe(0);
  expect(demo.output).toContain('pbx-a holds no channel and no bridge');
  expect(demo.output).toContain('pbx-b holds no channel and no bridge');
  expect(demo.output).toContain('every call did what it should');
});

test('demo stays up, says how to call it, and stops cleanly on Ctrl-C', async () => {
  const demo = callfleet('demo');
  await expect.poll(() => demo.output, { timeout: 40_000 }).toContain('Ctrl-C stops everything');
  const configFile = /configuration {3}(\S+)/.exec(demo.output)?.[1] ?? 'none';
  expect(processesWith(configFile).length).toBeGreaterThanOrEqual(6);
  demo.child.kill('SIGINT');
  expect(await demo.ended, demo.output).toBe(0);
  expect(processesWith(configFile)).toEqual([]);
});

test('up starts a fleet beside the one that runs, doctor finds all well, and Ctrl-C stops it', async () => {
  const system = await startTestFleet({ pbxs: [{ name: 'pbx-a', transport: 'rtp' }], workers: 1, gateways: 1 });
  try {
    const doctor = callfleet('doctor', '--config', system.configFile);
    expect(await doctor.ended, doctor.output).toBe(0);
    const up = callfleet('up', '--config', system.configFile);
    await expect.poll(() => up.output, { timeout: 30_000 }).toContain('callfleet: up: 2 gateways, 2 workers, 1 relays');
    up.child.kill('SIGINT');
    expect(await up.ended, up.output).toBe(0);
  } finally {
    await system.stop();
  }
});

test('a configuration that can not be used is told in words, without a stack trace', async () => {
  for (const name of ['up', 'doctor', 'pbx-config']) {
    const command = callfleet(
      name,
      '--config',
      '/nowhere/callfleet.yaml',
      ...(name === 'pbx-config' ? ['--pbx', 'a'] : []),
    );
    expect(await command.ended).toBe(1);
    expect(command.output).toContain('/nowhere/callfleet.yaml');
    expect(command.output).not.toMatch(/^\s+at /m);
  }
});
