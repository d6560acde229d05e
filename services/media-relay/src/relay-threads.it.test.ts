import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { RelayRequest } from '@callfleet/bus';
import { loadConfig } from '@callfleet/config';
import { callIdOf } from '@callfleet/identity';
import { formatNamed, fromPcm, tone } from '@callfleet/media';
import { createLogger } from '@callfleet/telemetry';
import { startOpenAiServer } from '@callfleet/testkit';
import { afterEach, expect, test, vi } from 'vitest';
import type { SessionEvent } from './media-session.ts';
import { startRelayThreads } from './relay-threads.ts';
import { simulatedRtpLeg } from './simulated-pbx.ts';

const PBXS = '[{ name: pbx-a, url: "http://127.0.0.1:1", username: a, password: b }]';
const RTP = { bindAddress: '127.0.0.1', advertisedAddress: '127.0.0.1', portMin: 26_100, portMax: 26_107 };
const ulaw = formatNamed('ulaw');
const closers: Array<() => Promise<unknown>> = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closers.splice(0).reverse()) await close();
});

async function startThreads(relay: object) {
  const { relay: settings, telemetry } = loadConfig({
    env: { CALLFLEET_PBXS: PBXS, CALLFLEET_RELAY: JSON.stringify({ threads: 2, ...relay }) },
  });
  const events: Array<[session: string, event: SessionEvent]> = [];
  const started = await startRelayThreads({
    ...{ relay: 'relay-1', settings, logging: { ...telemetry, level: 'silent' } },
    log: createLogger('test', 'test', { level: 'silent', format: 'json' }),
    pbxs: { urlOf: () => undefined, accountOf: () => undefined },
    events: (_call, session) => (event) => events.push([session, event]),
    onChange: () => {},
    onLost: (error) => expect.unreachable(error.message),
  });
  closers.push(() => started.close());
  return { relay: started.relay, events };
}

test('callers in both threads are answered by an AI whose key is in the environment, and what was said comes back', async () => {
  const ai = await startOpenAiServer();
  closers.push(() => ai.stop());
  vi.stubEnv('OPENAI_API_KEY', ai.key);
  const { relay, events } = await startThreads({ rtp: RTP });
  const provider = {
    name: 'openai',
    options: { url: ai.url, turnDetection: { type: 'server_vad', silenceMs: 300 } },
  };
  const callers = await Promise.all(
    ['1', '2'].map(async (channel) => {
      const call = callIdOf('pbx-a', channel);
      const request = { session: `${call}~media1`, call, epoch: 1 };
      const leg = await simulatedRtpLeg();
      closers.push(() => leg.close());
      const opened = await relay.handle({ op: 'open', ...request, pbx: 'pbx-a', provider });
      if (!opened.ok || !opened.externalMedia) return expect.unreachable(JSON.stringify(opened));
      leg.relayAt = opened.externalMedia.external_host;
      const attach: RelayRequest = { op: 'attach', ...request, channelVariables: leg.channelVariables };
      expect(await relay.handle(attach)).toEqual({ ok: true });
      return { leg, request, port: Number(leg.relayAt.split(':')[1]) };
    }),
  );
  expect(callers.map(({ port }) => port).sort()).toEqual([26_100, 26_104]);
  // The AI must be there before they speak.
  await vi.waitFor(() => expect(ai.connections.map(({ received }) => received.length)).toEqual([1, 1]), 5000);

  const voice = fromPcm(ulaw, tone({ hz: 500, ms: 800, sampleRate: 8000, level: 0.3 }));
  const silence = new Uint8Array(160).fill(ulaw.silenceByte);
  for (let at = 0; at < 2500; at += 20) {
    for (const { leg } of callers) leg.say(at < 800 ? voice.subarray(at * 8, at * 8 + 160) : silence);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const { request } of callers) {
    const said = () => events.flatMap(([session, { type }]) => (session === request.session ? [type] : []));
    await vi.waitFor(() => expect(said()).toContain('turn'), 5000);
    const closed = await relay.handle({ op: 'close', ...request, reason: 'test' });
    expect(closed).toMatchObject({ ok: true, stats: { provider: 'openai', heard: { lost: 0 } } });
    expect([said()[0], said().at(-1)]).toEqual(['started', 'ended']);
  }
  expect(relay.announcement.sessions).toBe(0);
}, 30_000);

test('a relay whose thread finds its port taken does not start, and says why', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  closers.push(async () => taken.close());
  const { port } = taken.address() as AddressInfo;
  const starting = startThreads({
    transport: 'audiosocket',
    audiosocket: { bindAddress: '127.0.0.1', port: port - 1 },
  });
  await expect(starting).rejects.toMatchObject({
    code: 'CF_RELAY_THREAD_LOST',
    message: expect.stringMatching(`^thread 2 died: listen EADDRINUSE.*:${port}`),
  });
}, 30_000);
