import { setTimeout as wait } from 'node:timers/promises';
import { originateCall } from '@callfleet/bus';
import { placeCall } from '@callfleet/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { documentedMetrics } from './documented-metrics.ts';
import { type HttpFleet, type Metrics, startHttpFleet } from './fleet-http.ts';
import { startVoiceAi, type VoiceAi } from './voice-ai.ts';

let system: HttpFleet;
let ai: VoiceAi;

beforeAll(async () => {
  ai = await startVoiceAi();
  system = await startHttpFleet({ worker: { drainMs: 0 } });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await system?.stop();
  await ai?.stop();
});

const POLL = { timeout: 10_000, interval: 50 };

async function talkingCall(from: string) {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const call = await placeCall({ to: pbx.sipAddress, extension: '100', from, audio: { toneHz: 600 } });
  await call.waitForTone(600, 10_000);
  return call;
}

/** What a number that is read from the metrics has grown by since `before`. */
const grown = (before: Metrics, name: string, labels?: Record<string, string>) => async () =>
  (await system.metrics()).sum(name, labels) - before.sum(name, labels);

test('a call is counted where it is, and how it ended', async () => {
  const before = await system.metrics();
  const call = await talkingCall('7200');
  const during = await system.metrics();
  expect(during.sum('callfleet_worker_calls')).toBe(1);
  expect(during.sum('callfleet_shard_calls', { callfleet_pbx: 'pbx-a' })).toBe(1);
  expect(during.sum('callfleet_relay_sessions')).toBe(1);
  expect(during.sum('callfleet_relay_room')).toBe(before.sum('callfleet_relay_room') - 1);
  await expect.poll(async () => (await system.metrics()).sum('callfleet_shard_connected'), POLL).toBe(4);
  await call.hangUp();
  await system.recordOf('7200');

  for (const [name, labels] of [
    ['callfleet_offers_filed_total', { callfleet_reason: 'new' }],
    ['callfleet_offer_wait_duration_count', { callfleet_reason: 'new' }],
    ['callfleet_call_setup_duration_count', { callfleet_pbx: 'pbx-a' }],
    ['callfleet_shard_socket_lag_count', { callfleet_pbx: 'pbx-a' }],
    ['callfleet_offers_pulled_total', { callfleet_outcome: 'taken' }],
    ['callfleet_calls_ended_total', { callfleet_program: 'echo-bot', callfleet_ended_by: 'caller' }],
    ['callfleet_relay_sessions_ended_total', { callfleet_reason: 'closed' }],
    ['callfleet_command_duration_count', { http_route: '/channels/{channelId}/answer', callfleet_status_class: '2xx' }],
    ['callfleet_events_published_total', { callfleet_event_type: 'ari.StasisStart' }],
    ['callfleet_events_published_total', { callfleet_event_type: 'media.started' }],
  ] as const)
    await expect.poll(grown(before, name, labels), POLL).toBeGreaterThanOrEqual(1);
  for (const gone of [
    'callfleet_worker_calls',
    'callfleet_shard_calls',
    'callfleet_relay_sessions',
    'callfleet_events_held',
  ])
    await expect.poll(async () => (await system.metrics()).sum(gone), { ...POLL, message: gone }).toBe(0);
});

test('a conversation with an AI is measured: how fast it answers, how fast it is silent, and that it fails', async () => {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const before = await system.metrics();
  ai.answers.push({ text: 'One two three four five six seven eight nine ten.', ms: 6000 }, { text: 'Yes.', ms: 400 });
  const call = await placeCall({ to: pbx.sipAddress, extension: '503', from: '7201' });
  await call.answered;
  await vi.waitFor(() => expect(ai.connections).toHaveLength(1), POLL);
  await speak(call, 800);
  await wait(1000);
  await speak(call, 600);
  await expect.poll(grown(before, 'callfleet_barge_in_duration_count', { callfleet_provider: 'openai' }), POLL).toBe(1);
  await expect.poll(grown(before, 'callfleet_turn_latency_count', { callfleet_provider: 'openai' }), POLL).toBe(2);
  const failures = { callfleet_provider: 'openai', callfleet_code: 'CF_PROVIDER_LOST' };
  expect(await grown(before, 'callfleet_ai_errors_total')()).toBe(0);
  ai.last.drop();
  await expect.poll(grown(before, 'callfleet_ai_errors_total', failures), POLL).toBe(1);
  await call.hangUp().catch(() => {});
});

/** The caller makes a sound for so long, and is silent then. */
async function speak(call: Awaited<ReturnType<typeof placeCall>>, ms: number) {
  await call.setAudio({ toneHz: 600 });
  await wait(ms);
  await call.setAudio(null);
}

test('offers that nobody takes are seen to wait, and for how long', async () => {
  const [pbx] = system.pbxs;
  if (!pbx) throw new Error('no PBX');
  const waiting = async () => (await system.metrics()).sum('callfleet_offers_waiting', { callfleet_pool: 'default' });
  expect(await waiting()).toBe(0);
  for (const { pid } of system.fleet.workers) process.kill(pid as number, 'SIGSTOP');
  try {
    const call = await placeCall({
      to: pbx.sipAddress,
      extension: '100',
      from: '7202',
      hangUp: { cancelAfterMs: 1500 },
    });
    const gateways = system.names.filter((name) => name.startsWith('gateway'));
    const sum = (name: string) => async () => (await system.metrics(gateways)).sum(name);
    await expect.poll(sum('callfleet_offers_waiting'), POLL).toBe(1);
    await expect.poll(sum('callfleet_offers_oldest_wait'), POLL).toBeGreaterThan(500);
    await call.finished;
    await expect.poll(sum('callfleet_offers_waiting'), POLL).toBe(0);
  } finally {
    for (const { pid } of system.fleet.workers) process.kill(pid as number, 'SIGCONT');
  }
  await system.recordOf('7202');
});

test('a call that is not placed is counted with why', async () => {
  const before = await system.metrics();
  const place = (program: string, to: string) =>
    originateCall(system.bus, { program, to, pbxs: [{ name: 'pbx-a' }] }).catch(
      (error: { code: string }) => error.code,
    );
  expect(await place('nobody-has-it', 'PJSIP/alice')).toBe('CF_PROGRAM_UNKNOWN');
  expect(await place('echo-bot', 'no-trunk:1')).toBe('CF_TRUNK_UNKNOWN');
  const refused = (code: string) => grown(before, 'callfleet_originations_refused_total', { callfleet_code: code });
  for (const code of ['CF_PROGRAM_UNKNOWN', 'CF_TRUNK_UNKNOWN']) await expect.poll(refused(code), POLL).toBe(1);
  expect(await refused('CF_TRUNK_FULL')()).toBe(0);
});

test('docs/metrics.md has a line for each metric of the services, and for no other', async () => {
  // Each gateway mirrors what the other has, and begins a moment after it.
  await expect.poll(async () => (await system.metrics()).sum('callfleet_mirror_connected'), POLL).toBe(4);
  const { families } = await system.metrics();
  families.delete('target_info');
  const exposed = [...families].map(([name, { type, unit, labels }]) => {
    labels.delete('le');
    return { name, type, unit, labels: [...labels].toSorted() };
  });
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  expect(documentedMetrics().toSorted(byName)).toEqual(exposed.toSorted(byName));
});

test('a takeover is counted, and a command of the worker that lost the call, and one that comes again', async () => {
  const commands: Array<{ subject: string; data: Uint8Array }> = [];
  const listening = system.bus.nc.subscribe('cf.cmd.>', {
    callback: (_error, { subject, data }) => {
      commands.push({ subject, data });
    },
  });
  const call = await talkingCall('7300');
  const before = await system.metrics();
  const again = commands.find(({ data }) => new TextDecoder().decode(data).includes('/answer'));
  if (!again) throw new Error('no answer was asked for');
  listening.unsubscribe();
  await system.bus.nc.request(again.subject, again.data);
  await expect.poll(grown(before, 'callfleet_commands_repeated_total'), POLL).toBe(1);

  const worker = await system.workerWithCall();
  await worker.stop();
  const rest = system.names.filter((name) => name !== worker.name);
  const sum = (name: string, labels?: Record<string, string>) => async () =>
    (await system.metrics(rest)).sum(name, labels);
  await expect.poll(sum('callfleet_calls_taken_over_total'), POLL).toBe(1);
  await expect.poll(sum('callfleet_offers_filed_total', { callfleet_reason: 'worker-stops' }), POLL).toBe(1);
  const fenced = { callfleet_code: 'CF_COMMAND_FENCED' };
  const fencedBefore = await sum('callfleet_commands_refused_total', fenced)();
  await system.bus.nc.request(again.subject, again.data);
  await expect.poll(sum('callfleet_commands_refused_total', fenced), POLL).toBe(fencedBefore + 1);
  await call.hangUp();
});
