import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ControlServer, type SimulatedPbx, startSimulatedPbx } from './mod.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

let pbx: SimulatedPbx;
let control: ControlServer;

beforeEach(async () => {
  pbx = await startSimulatedPbx({ applications: ['bot'], rounds: 1, fallbackMs: 10 });
  control = await ControlServer.start(pbx, 0);
});
afterEach(async () => {
  await control.stop();
  await pbx.stop();
});

async function order(method: string, path: string, body?: unknown) {
  const response = await fetch(`${control.url}${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('calls are ordered, and what became of them is read', async () => {
  const { status, body } = await order('POST', '/calls', {
    count: 5,
    arrivalsPerSecond: 1000,
    call: { extension: '7' },
  });
  expect({ status, body }).toMatchObject({ status: 201, body: { batch: 1, ordered: 5 } });
  const summary = async () => (await order('GET', '/calls/1')).body;
  await expect.poll(summary).toMatchObject({ placed: 5, ended: 5, fellBack: 5, answered: 5 });
  const { body: page } = await order('GET', '/calls/1/reports?after=3');
  expect(page).toMatchObject({ next: 5, reports: [{ extension: '7', fallback: 'NOGATEWAY' }, {}] });
  expect((await order('GET', '/counters')).body).toMatchObject({ callsPlaced: 5, callsEnded: 5, channels: 0 });
});

test('faults and endpoints are set, and read', async () => {
  await order('PUT', '/faults', { rest: { delayMs: 5 } });
  expect((await order('GET', '/faults')).body).toMatchObject({ rest: { delayMs: 5 }, events: { loseShare: 0 } });
  expect(await order('POST', '/faults', { kind: 'drop-sockets' })).toMatchObject({ status: 200 });
  expect(await order('PUT', '/endpoints', { address: 'PJSIP/x', does: 'busy' })).toMatchObject({ status: 200 });
});

test.each([
  ['/calls', 'POST', { count: 0 }, 'count'],
  ['/calls', 'POST', { count: 1, call: { extnsion: '1' } }, 'extnsion'],
  ['/calls', 'POST', { count: 1, call: { talk: { toneHz: 440 } } }, 'call.talk.toneHz'],
  ['/faults', 'PUT', { rest: { failShare: 2 } }, 'rest.failShare'],
  ['/faults', 'POST', { kind: 'explode' }, 'kind'],
])('a wrong order to %s says what is wrong', async (path, method, body, where) => {
  const answer = await order(method, path, body);
  expect(answer).toMatchObject({ status: 400, body: { code: 'CF_PBX_SIM_BAD_INPUT' } });
  expect(answer.body.message).toContain(where);
});

test('what is not there is not found', async () => {
  expect((await order('GET', '/calls/9')).status).toBe(404);
  expect((await order('GET', '/nothing')).status).toBe(404);
});

test('the command refuses a file that it does not understand, and says why', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pbx-sim-'));
  const file = join(folder, 'sim.json');
  try {
    await writeFile(file, '{ "prot": 8088 }');
    const child = spawn(process.execPath, [MAIN, '--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    expect((await once(child, 'close'))[0]).toBe(2);
    expect(said).toContain('"prot"');
  } finally {
    await rm(folder, { recursive: true });
  }
});
