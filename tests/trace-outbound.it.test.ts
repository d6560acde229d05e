import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { originateCall } from '@callfleet/bus';
import { type Phone, startPhone } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { callTrace, withCommands } from './call-trace.ts';
import { startTracedFleet, type TracedFleet } from './traced-fleet.ts';

const CAMPAIGN = fileURLToPath(new URL('./campaign.ts', import.meta.url));

let system: TracedFleet;
let phone: Phone;

beforeAll(async () => {
  system = await startTracedFleet({
    pbxs: [{ name: 'pbx-a', transport: 'websocket' }],
  });
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  phone = await startPhone({ from: pbx, behaviour: 'answers', audio: { toneHz: 1400 } });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await phone?.stop();
  await system?.stop();
});

async function answerAndHangUp(): Promise<void> {
  const callee = await phone.nextCall();
  await callee.waitForTone(1400, 5000);
  await callee.hangUp();
}

/** What is under `offer`, whoever had the call placed. */
const PLACED = withCommands([
  'ari-gateway: offer',
  'ari-gateway: offer > offer wait',
  'call-worker: offer > call',
  'call-worker: offer > call > claim',
  'call-worker: offer > call > connect',
  'call-worker: offer > call > connect > command POST /bridges/{bridgeId}',
  'call-worker: offer > call > connect > command POST /bridges/{bridgeId}/addChannel',
  'call-worker: offer > call > connect > command POST /channels/externalMedia',
  'call-worker: offer > call > conversation.ended',
  'call-worker: offer > call > end',
  'call-worker: offer > call > end > command DELETE /bridges/{bridgeId}',
  'call-worker: offer > call > end > command DELETE /channels/{channelId}',
  'call-worker: offer > call > originate',
  'call-worker: offer > call > originate > command POST /channels/create',
  'call-worker: offer > call > originate > command POST /channels/{channelId}/dial',
  'call-worker: offer > call > step report',
  'call-worker: offer > lease',
  'media-relay: offer > call > connect > media attach',
  'media-relay: offer > call > connect > media open',
  'media-relay: offer > call > connect > media open > media session',
  'media-relay: offer > call > end > media close',
]);

test('a call that is placed is one trace: it begins in the gateway that takes it on, and the dialling is under its worker', async () => {
  await originateCall(system.bus, {
    program: 'outbound',
    to: phone.endpoint,
    pbxs: [{ name: 'pbx-a' }],
    callerId: { number: '4201' },
  });
  await answerAndHangUp();
  const trace = await callTrace(system, '4201', ['call', 'media session']);
  trace.expectWhole();
  expect(trace.tree).toEqual(PLACED);
});

test('who places it with a trace of their own has all of the call in that trace', async () => {
  const campaign = promisify(execFile)(process.execPath, [CAMPAIGN, phone.endpoint, '4202'], {
    env: { ...process.env, CALLFLEET_CONFIG: system.configFile },
  });
  await answerAndHangUp();
  await campaign;
  const trace = await callTrace(system, '4202', ['call', 'media session']);
  trace.expectWhole('campaign spring');
  expect(trace.tree).toEqual(
    ['campaign: spring', ...PLACED.map((line) => line.replace(': ', ': spring > '))].toSorted(),
  );
});
