import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AriHttp, AriSocket, bridges, channels, expectOk } from '@callfleet/ari';
import {
  ask,
  type Bus,
  type CallEvent,
  CallEventFeed,
  connectBus,
  ensureStreams,
  type RelayReply,
  type RelayRequest,
  relayReplySchema,
  subjects,
} from '@callfleet/bus';
import { type CallId, callIdOf, resourceId } from '@callfleet/identity';
import {
  type Asterisk,
  type NatsServer,
  placeCall,
  startAsterisk,
  startNatsServer,
  toneReport,
} from '@callfleet/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RelayProcess, startRelayProcess } from './relay-process.ts';

const APP = 'relay-test';

let pbx: Asterisk;
let nats: NatsServer;
let bus: Bus;
const closing: Array<() => Promise<unknown> | unknown> = [];
const afterTests: Array<() => Promise<unknown>> = [];

/** Where the relay listens for PBXs that connect with their legs. */
const LEGS_PORT = 26_110;
const DIALLED_IN = 'websocket-dialled-in';
const ACCOUNT = { username: 'callfleet', password: 'callfleet' };
const CLIENT = `[callfleet-relay]
type = websocket_client
connection_type = per_call_config
uri = wss://localhost:${LEGS_PORT}/media
protocols = media
username = ${ACCOUNT.username}
password = ${ACCOUNT.password}
tls_enabled = yes
ca_list_file = {etc}/relay.pem
`;
let tls: { certFile: string; keyFile: string };

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'callfleet-legs-'));
  afterTests.push(() => rm(folder, { recursive: true, force: true }));
  tls = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ...['-keyout', tls.keyFile, '-out', tls.certFile],
  ]);
  const files = { 'websocket_client.conf': CLIENT, 'relay.pem': await readFile(tls.certFile, 'utf8') };
  [pbx, nats] = await Promise.all([startAsterisk({ apps: [APP], files, ...ACCOUNT }), startNatsServer()]);
  bus = await connectBus({ servers: [nats.url], name: 'relay-test' });
  await ensureStreams(bus);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  await bus?.close();
  await Promise.all([pbx?.stop(), nats?.stop(), ...afterTests.map((clean) => clean())]);
});

/** The transport by its name in the configuration. */
const kindOf = (transport: string) => (transport === DIALLED_IN ? 'websocket' : transport);

/** A relay with a transport, in a zone of the same name. */
async function startRelay(transport: string, settings: Readonly<Record<string, string>> = {}): Promise<RelayProcess> {
  const started = await startRelayProcess(bus, transport, {
    CALLFLEET_NATS__SERVERS: JSON.stringify([nats.url]),
    CALLFLEET_PBXS: JSON.stringify([
      { name: pbx.name, url: pbx.httpUrl, username: pbx.username, password: pbx.password },
    ]),
    CALLFLEET_RELAY__TRANSPORT: kindOf(transport),
    ...(transport === DIALLED_IN && {
      CALLFLEET_RELAY__WEBSOCKET__LISTEN: JSON.stringify({ port: LEGS_PORT, tls }),
    }),
    CALLFLEET_RELAY__RTP__PORT_MIN: '26000',
    CALLFLEET_RELAY__RTP__PORT_MAX: '26099',
    ...settings,
  });
  closing.push(() => started.process.stop());
  return started;
}

interface ServedCall {
  readonly call: CallId;
  readonly session: string;
  /** The caller's number. */
  readonly from: string;
  readonly events: readonly CallEvent[];
  /** Where the relay listens for the leg. */
  readonly relayPort: number;
}

/** As much of a gateway and a worker as it takes to give each caller a media leg of `provider`. @returns when the PBX knows of it */
async function serveCalls(relay: string, provider: { name: string; options: Record<string, unknown> }) {
  const account = { url: pbx.httpUrl, username: pbx.username, password: pbx.password };
  const http = new AriHttp(account);
  const started = new Map<string, () => void>();
  const served = Promise.withResolvers<ServedCall>();
  const all: ServedCall[] = [];
  const serve = async (channelId: string, from: string) => {
    const call = callIdOf(pbx.name, channelId);
    const [session, bridgeId] = [resourceId(call, 'media', 1), resourceId(call, 'bridge', 1)];
    const events: CallEvent[] = [];
    const feed = await CallEventFeed.open(bus, call, {
      onEvent: (event) => events.push(event),
      onBadMessage: (error) => served.reject(error),
    });
    closing.push(() => feed.close());
    const legStarted = new Promise<void>((resolve) => started.set(session, resolve));
    expectOk(await http.request(channels.answer({ channelId })));
    expectOk(await http.request(bridges.createWithId({ bridgeId, type: 'mixing' })));
    const opened = await request(relay, { op: 'open', session, call, epoch: 1, pbx: pbx.name, provider });
    if (!opened.ok || !opened.externalMedia) throw new Error(`not opened: ${JSON.stringify(opened)}`);
    const leg = expectOk(
      await http.request(channels.externalMedia({ channelId: session, app: APP, ...opened.externalMedia })),
    );
    const channelVariables = leg.channelvars as Record<string, string>;
    expect(await request(relay, { op: 'attach', session, call, epoch: 1, channelVariables })).toEqual({ ok: true });
    await legStarted;
    expectOk(await http.request(bridges.addChannel({ bridgeId, channel: [channelId, session] })));
    closing.push(async () => {
      await http.request(channels.hangup({ channelId: session }));
      await http.request(bridges.destroy({ bridgeId }));
    });
    const relayPort = Number(opened.externalMedia.external_host.split(':')[1]);
    all.push({ call, session, from, events, relayPort });
    served.resolve(all[0] as ServedCall);
  };
  const socket = await AriSocket.connect({
    ...account,
    apps: [APP],
    onEvent: (event) => {
      if (event.type !== 'StasisStart') return;
      const { id, caller } = (event as unknown as { channel: { id: string; caller: { number: string } } }).channel;
      const leg = started.get(id);
      if (leg) leg();
      else serve(id, caller.number).catch(served.reject);
    },
  });
  closing.push(
    () => http.close(),
    () => socket.close(),
  );
  return { served: served.promise, all };
}

function request(relay: string, question: RelayRequest): Promise<RelayReply> {
  return ask(bus, subjects.relay(relay), question, { reply: relayReplySchema, timeoutMs: 5000 });
}

async function callThrough(
  transport: string,
  provider: { name: string; options: Record<string, unknown> },
  format?: string,
) {
  const { process, relay } = await startRelay(transport, format ? { CALLFLEET_RELAY__FORMAT: format } : {});
  const { served } = await serveCalls(relay, provider);
  served.catch(() => {});
  const caller = await placeCall({ to: pbx.sipAddress, extension: '100', audio: { toneHz: 440 } });
  closing.push(() => caller.hangUp());
  return { process, relay, caller, ...(await served) };
}

describe.each(['rtp', 'websocket', DIALLED_IN, 'audiosocket'])('a caller on a real Asterisk, over %s', (transport) => {
  test('hears an echo, without a pause, and the relay measures the same', async () => {
    const { relay, caller, call, session, events } = await callThrough(transport, { name: 'echo', options: {} });
    const from = await caller.waitForTone(440, 5000);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(caller.heard.longestGapMs({ fromMs: from, toMs: from + 2900 })).toBeLessThan(1000);
    const tenths = Array.from({ length: 10 }, (_, i) => ({ fromMs: from + i * 250, toMs: from + (i + 1) * 250 }));
    // A frame that is dropped to catch up after a stall of this machine splits the tone: how many is measured elsewhere.
    expect(tenths.filter((tenth) => caller.heard.level(440, tenth) > 0.6).length).toBeGreaterThanOrEqual(5);
    const closed = await request(relay, { op: 'close', session, call, epoch: 1, reason: 'test' });
    expect(closed).toMatchObject({
      ok: true,
      stats: { provider: 'echo', transport: kindOf(transport), heard: { lost: 0 } },
    });
    if (!closed.ok || !closed.stats) return expect.unreachable();
    const { heard, spoke } = closed.stats;
    expect(heard.ms).toBeGreaterThan(2000);
    expect(heard.speechMs).toBeGreaterThan(2000);
    expect(heard.peakDbfs).toBeCloseTo(-9, 0);
    expect(spoke.ms).toBeGreaterThan(0.5 * heard.ms);
    await vi.waitFor(() => expect(events.map(({ type }) => type)).toEqual(['media.started', 'media.ended']));
    expect(events[1]?.data).toMatchObject({ session, reason: 'closed', detail: 'test', stats: closed.stats });
  });

  test('is answered by the parrot after having spoken', async () => {
    const { caller, events } = await callThrough(transport, { name: 'parrot', options: { silenceMs: 400 } });
    await vi.waitFor(() => expect(events.map(({ type }) => type)).toContain('media.speech-started'), 5000);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await caller.setAudio(null);
    const answeredAt = await caller.waitForTone(440, 3000);
    await vi.waitFor(() => {
      const now = caller.now();
      expect(caller.heard.longestSilenceMs({ fromMs: now - 300, toMs: now })).toBeGreaterThan(250);
    }, 5000);
    expect(caller.heard.longestGapMs({ fromMs: answeredAt - 1000 })).toBeLessThan(1000);
    expect(events.map(({ type }) => type)).toEqual([
      'media.started',
      'media.speech-started',
      'media.speech-stopped',
      'media.turn',
    ]);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  test('is told of when the relay is stopped, which ends cleanly', async () => {
    const { process, caller, events } = await callThrough(transport, { name: 'echo', options: {} });
    await caller.waitForTone(440, 5000);
    expect(await process.stop()).toEqual({ code: 0, signal: null });
    await vi.waitFor(() => expect(events.at(-1)?.data).toMatchObject({ reason: 'relay-stopped' }));
  });
});

const wideband = ['slin16', 'slin24', 'slin48'];
test.each([
  ...['alaw', 'slin'].map((format) => ['rtp', format] as const),
  ...['alaw', 'slin', ...wideband, 'opus'].map((format) => ['websocket', format] as const),
  ...['alaw', 'slin48', 'opus'].map((format) => [DIALLED_IN, format] as const),
  ...wideband.map((format) => ['audiosocket', format] as const),
])('over %s audio may be %s', async (transport, format) => {
  const { caller, call, relay, session } = await callThrough(transport, { name: 'echo', options: {} }, format);
  await caller.waitForTone(440, 5000);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const closed = await request(relay, { op: 'close', session, call, epoch: 1, reason: 'test' });
  expect(closed).toMatchObject({ ok: true, stats: { transport: kindOf(transport), heard: { lost: 0 } } });
  if (!closed.ok || !closed.stats) return expect.unreachable();
  expect(closed.stats.heard.peakDbfs).toBeCloseTo(-9, 0);
});

test('a relay that dies takes its leg along, and not the PBX that has connected to it', async () => {
  const { process, caller } = await callThrough(DIALLED_IN, { name: 'echo', options: {} });
  await caller.waitForTone(440, 5000);
  process.kill();
  await vi.waitFor(async () => expect(await pbx.cli('core show channels concise')).not.toContain('WebSocket/'), 5000);
  expect(await pbx.cli('core show channels concise')).toContain('PJSIP/');
});

describe.each(['rtp', 'websocket', 'audiosocket'])('a relay with two threads, over %s', (transport) => {
  test('spreads its calls over both, each hears its own tone, and all of it ends cleanly', async () => {
    const { process, relay } = await startRelay(transport, { CALLFLEET_RELAY__THREADS: '2' });
    const { served, all } = await serveCalls(relay, { name: 'echo', options: {} });
    served.catch(() => {});
    const callers = await Promise.all(
      [500, 800, 1100, 1400].map(async (hz) => {
        const from = String(hz);
        const call = await placeCall({ to: pbx.sipAddress, extension: '100', from, audio: { toneHz: hz } });
        closing.push(() => call.hangUp());
        return { call, from, hz };
      }),
    );
    await Promise.all(callers.map(({ call, hz }) => call.waitForTone(hz, 10_000)));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(all).toHaveLength(4);
    if (transport === 'rtp') {
      const lower = all.filter(({ relayPort }) => relayPort < 26_050);
      expect(lower).toHaveLength(2);
    }
    if (transport === 'audiosocket') expect(new Set(all.map(({ relayPort }) => relayPort)).size).toBe(2);
    for (const { call, from, hz } of callers) {
      const tones = toneReport((await call.hangUp()).heard.frames, [hz]);
      expect(tones.expected.length, `${from} hears itself`).toBeGreaterThan(0);
      expect(
        tones.others.filter((tone) => tone.toMs - tone.fromMs > 100),
        `${from} hears no other`,
      ).toEqual([]);
    }

    const [first, ...rest] = all as [ServedCall, ...ServedCall[]];
    const { call, session } = first;
    const closed = await request(relay, { op: 'close', session, call, epoch: 1, reason: 'test' });
    expect(closed).toMatchObject({ ok: true, stats: { transport, heard: { lost: 0 } } });
    expect(await request(relay, { op: 'close', session, call, epoch: 1, reason: 'test' })).toEqual(closed);
    await vi.waitFor(() => expect(first.events.at(-1)?.data).toMatchObject({ session, reason: 'closed' }));
    expect(await process.stop()).toEqual({ code: 0, signal: null });
    for (const { events } of rest) {
      await vi.waitFor(() => expect(events.at(-1)?.data).toMatchObject({ relay, reason: 'relay-stopped' }));
      expect(events.map(({ seq }) => seq)).toEqual([1, 2]);
    }
  });
});
