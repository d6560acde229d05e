import { formatNamed, fromPcm, PacingClock, tone, toneLevel, toPcm } from '@callfleet/media';
import { AI_TONE_HZ, type AiServer, type OpenAiConnection, startOpenAiServer } from '@callfleet/testkit';
import { providerNamed } from '@callfleet/voice-ai';
import { afterEach, expect, test, vi } from 'vitest';
import { MediaSession, type SessionEvent } from './media-session.ts';
import { PortPool } from './port-pool.ts';
import { processTime } from './process-time.ts';
import { RtpTransport } from './rtp-transport.ts';
import { type SimulatedRtpLeg, simulatedRtpLeg } from './simulated-pbx.ts';

const ulaw = formatNamed('ulaw');
const closers: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closers.splice(0).reverse()) await close();
});

/** A caller on RTP with a local OpenAI, in real time. */
async function openAiCall() {
  const ai: AiServer<OpenAiConnection> = await startOpenAiServer();
  const leg = await simulatedRtpLeg();
  vi.stubEnv('OPENAI_API_KEY', ai.key);
  const clock = new PacingClock(processTime, (error) => expect.unreachable(String(error)));
  const ports = new PortPool({ portMin: 25_000, portMax: 25_099, portRestMs: 0, now: processTime.now });
  const events: SessionEvent[] = [];
  const session = new MediaSession({
    call: 'pbx-a.1763701200_12',
    transport: (listener) =>
      new RtpTransport(
        { format: 'ulaw', bindAddress: '127.0.0.1', advertisedAddress: '127.0.0.1', ports, time: processTime },
        listener,
      ),
    provider: providerNamed('openai', { url: ai.url, turnDetection: { type: 'server_vad', silenceMs: 300 } }),
    clock,
    time: processTime,
    attachTimeoutMs: 5000,
    firstAudioMs: 15_000,
    mediaTimeoutMs: 5000,
    tell: (event) => events.push(event),
  });
  closers.push(
    () => ai.stop(),
    () => leg.close(),
    () => session.close('closed'),
  );
  leg.relayAt = (await session.open()).external_host;
  await session.attach(leg.channelVariables);
  await vi.waitFor(() => expect(ai.last.received).toHaveLength(1));
  return { ai, leg, session, events };
}

/** The caller makes a tone, or is silent, in real time. */
async function say(leg: SimulatedRtpLeg, ms: number, level: number): Promise<void> {
  const audio = fromPcm(ulaw, tone({ hz: 500, ms, sampleRate: 8000, level }));
  const start = performance.now();
  for (let at = 0; at < ms; at += 20) {
    leg.say(audio.subarray(at * 8, (at + 20) * 8));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, start + at + 20 - performance.now())));
  }
}

/** How much of the last 200 ms that the caller was sent is the AI's voice, 0..1. */
function heardOfAi(leg: SimulatedRtpLeg): number {
  const last = Buffer.concat(leg.received.slice(-10));
  return toneLevel(toPcm(ulaw, last), 8000, AI_TONE_HZ);
}

test('a caller on RTP is answered by OpenAI, and silences it by speaking', async () => {
  const { ai, leg, session, events } = await openAiCall();
  ai.answers.push(
    { text: 'One two three four five six seven eight nine ten.', ms: 6000 },
    { text: 'A short one.', ms: 800 },
  );
  await say(leg, 800, 0.3);
  await say(leg, 1200, 0);
  expect(heardOfAi(leg)).toBeGreaterThan(0.9);

  await say(leg, 600, 0.3);
  expect(heardOfAi(leg)).toBe(0);
  const truncated = await vi.waitFor(() => {
    const [first] = ai.last.truncated;
    if (!first) throw new Error('not truncated');
    return first;
  });
  const sentWithVoice = leg.received.filter((frame) => toneLevel(toPcm(ulaw, frame), 8000, AI_TONE_HZ) > 0.5).length;
  // OpenAI is told what was really sent to the caller, a frame's length at most beside it.
  expect(Math.abs(truncated.ms - sentWithVoice * 20)).toBeLessThanOrEqual(40);

  await say(leg, 1800, 0);
  expect(events.map((event) => (event.type === 'turn' ? `${event.role}: ${event.text}` : event.type))).toEqual([
    'started',
    'speech-started',
    'speech-stopped',
    'caller: This is the caller.',
    expect.stringMatching(/^bot: One.* \.\.\.$/),
    'interrupted',
    'speech-started',
    'speech-stopped',
    'caller: This is the caller.',
    'bot: A short one.',
  ]);
  await session.close('closed');
  expect(session.stats.usage).toMatchObject({ totalTokens: 60, transcriptionTotalTokens: 18 });
  expect(session.stats.spoke.ms).toBe(truncated.ms + 800);
  await vi.waitFor(() => expect(ai.last.closed).toEqual({ code: 1000 }));
});
