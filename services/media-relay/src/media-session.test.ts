import type { Spoken } from '@callfleet/bus';
import { formatNamed, fromPcm, PacingClock, tone } from '@callfleet/media';
import { SimulatedTime } from '@callfleet/media/testing';
import { VoiceProviderError } from '@callfleet/voice-ai';
import { describe, expect, test } from 'vitest';
import { MediaSession, type SessionEvent } from './media-session.ts';
import { SimulatedProvider, SimulatedTransport, say } from './simulated-media.ts';

const SILENCE = 0xff;
const frameOf = (byte: number) => new Uint8Array(160).fill(byte);
const frames = (count: number, byte = 1) => Array.from({ length: count }, () => frameOf(byte));

function newSession(provider = new SimulatedProvider(), history: Spoken[] = []) {
  const time = new SimulatedTime(5000);
  const events: SessionEvent[] = [];
  let transport: SimulatedTransport | undefined;
  const session = new MediaSession({
    call: 'pbx-a.1_2',
    provider,
    transport: (listener) => {
      transport = new SimulatedTransport(listener);
      return transport;
    },
    clock: new PacingClock(time, (error) => {
      throw error;
    }),
    time,
    attachTimeoutMs: 10_000,
    mediaTimeoutMs: 30_000,
    firstAudioMs: 15_000,
    history,
    tell: (event) => events.push(event),
  });
  if (!transport) throw new Error('a session makes its transport at once');
  return { time, events, session, provider, transport };
}

async function attachedSession(provider?: SimulatedProvider) {
  const all = newSession(provider);
  await all.session.open();
  await all.session.attach({ where: 'there' });
  return all;
}

async function talkingSession(provider?: SimulatedProvider) {
  const all = await attachedSession(provider);
  say(all.transport, all.time, frames(1));
  all.events.length = 0;
  all.transport.sent.length = 0;
  all.provider.heard.length = 0;
  return all;
}

describe('a media session', () => {
  test('carries audio both ways once the PBX is heard, and says that it started', async () => {
    const { session, transport, provider, time, events } = await attachedSession();
    expect(transport.attached).toEqual({ where: 'there' });
    expect(session.state).toBe('ATTACHED');
    provider.context.playout.play(new Uint8Array(480).fill(7));
    say(transport, time, frames(5));
    expect(session.state).toBe('TALKING');
    expect(events).toEqual([{ type: 'started', provider: 'simulated' }]);
    expect(provider.heard).toHaveLength(5);
    expect(transport.sent.filter((byte) => byte !== SILENCE)).toEqual([7, 7, 7]);
  });

  test('holds the greeting until the leg is in its bridge, so that it is not clipped', async () => {
    const { transport, provider, time } = await attachedSession();
    provider.context.playout.play(frameOf(7));
    time.pass(400);
    expect(new Set(transport.sent)).toEqual(new Set([SILENCE]));
    say(transport, time, frames(2));
    expect(transport.sent).toContain(7);
  });

  test('greets a caller who sends nothing, after half a second', async () => {
    const { transport, provider, time } = await attachedSession();
    provider.context.playout.play(frameOf(7));
    time.pass(600);
    expect(transport.sent).toContain(7);
  });

  test('tells its provider the time since it was opened', async () => {
    const { provider, time } = await attachedSession();
    time.pass(140);
    expect(provider.context.time.now()).toBe(140);
  });

  test('says how much of the bot was really played, through lead and interruption', async () => {
    const { transport, provider, time } = await talkingSession();
    const { playout } = provider.context;
    playout.play(new Uint8Array(8000).fill(7));
    time.pass(200);
    transport.unplayedMs = 60;
    expect(playout.playedMs).toBe(140);
    expect(playout.queuedMs).toBe(860);
    expect(playout.flush()).toBe(860);
    expect(playout.playedMs).toBe(140);
    expect(playout.queuedMs).toBe(0);
    time.pass(100);
    expect(playout.playedMs).toBe(140);
  });

  test('passes keys to the provider and what the provider tells to the call', async () => {
    const { transport, provider, events } = await talkingSession();
    transport.listener.digit('5');
    expect(provider.digits).toEqual(['5']);
    const turn = { type: 'turn', role: 'caller', text: 'hello', startMs: 0, endMs: 500 } as const;
    provider.context.tell(turn);
    expect(events).toEqual([turn]);
  });

  test('has its provider say something, once for each id, as soon as it is ready', async () => {
    const ready = Promise.withResolvers<void>();
    const { session, provider } = await attachedSession(new SimulatedProvider(ready.promise));
    session.say('1', 'Welcome.');
    expect(provider.said).toEqual([]);
    ready.resolve();
    await ready.promise;
    await new Promise(setImmediate);
    session.say('1', 'Welcome.');
    session.say('2', 'One moment.');
    expect(provider.said).toEqual(['Welcome.', 'One moment.']);
  });

  test('gives its provider each key once, whether the leg or the call tells it', async () => {
    const onRtp = await talkingSession();
    onRtp.session.digit('event-1', '1');
    onRtp.session.digit('event-1', '1');
    onRtp.transport.listener.digit('1');
    onRtp.session.digit('event-2', '1');
    expect(onRtp.provider.digits).toEqual(['1', '1']);

    const onWebSocket = await talkingSession();
    onWebSocket.transport.listener.digit('1');
    onWebSocket.session.digit('event-1', '1');
    onWebSocket.transport.listener.digit('2');
    expect(onWebSocket.provider.digits).toEqual(['1', '2']);
  });

  test('that is private lets its provider hear silence and no keys, and tells no turns', async () => {
    const { session, transport, provider, time, events } = await talkingSession();
    const turn = { type: 'turn', role: 'caller', text: 'four one one one', startMs: 0, endMs: 1 } as const;
    session.setPrivate(true);
    say(transport, time, frames(3, 7));
    session.digit('event-1', '4');
    transport.listener.digit('4');
    provider.context.tell(turn);
    expect(provider.heard).toEqual(frames(3, SILENCE));
    expect(provider.digits).toEqual([]);
    expect(events).toEqual([]);

    session.setPrivate(false);
    say(transport, time, frames(1, 7));
    session.digit('event-2', '5');
    provider.context.tell(turn);
    expect(provider.heard.at(-1)).toEqual(frameOf(7));
    expect(provider.digits).toEqual(['5']);
    expect(events).toEqual([turn]);
  });

  test('measures what was heard and spoken', async () => {
    const { session, transport, provider, time } = await attachedSession();
    const loud = fromPcm(formatNamed('ulaw'), tone({ hz: 400, ms: 20, sampleRate: 8000, level: 0.5 }));
    provider.context.playout.play(new Uint8Array(320).fill(7));
    say(transport, time, [...Array.from({ length: 50 }, () => loud), ...frames(50, SILENCE)]);
    transport.stats.lost = 2;
    await session.close('closed');
    expect(session.stats).toMatchObject({
      provider: 'simulated',
      transport: 'rtp',
      heard: { packets: 100, ms: 2000, speechMs: 1000, lost: 2 },
      spoke: { packets: 2, ms: 40 },
      usage: {},
    });
    expect(session.stats.heard.peakDbfs).toBeCloseTo(-9, 0);
  });

  test('measures how long caller and AI talked, from the first audio both ways to the end', async () => {
    const { session, transport, time } = await attachedSession();
    time.pass(400);
    expect(session.stats.talkMs).toBe(0);
    say(transport, time, frames(1));
    time.pass(2500);
    await session.close('closed');
    time.pass(1000);
    expect(session.stats.talkMs).toBe(2500);
  });

  test('sums up what its provider says it has used, by the names of the provider', async () => {
    const { session, provider, events } = await talkingSession();
    provider.context.tell({ type: 'usage', usage: { inputTokens: 800, costUsd: 0.5 } });
    provider.context.tell({ type: 'usage', usage: { inputTokens: 12, outputAudioMs: 5210, costUsd: 0.25 } });
    provider.context.tell({ type: 'usage', usage: { costUsd: Number.NaN } });
    expect(events).toEqual([]);
    await session.close('closed');
    provider.context.tell({ type: 'usage', usage: { inputTokens: 1000 } });
    const usage = { inputTokens: 812, outputAudioMs: 5210, costUsd: 0.75 };
    expect(session.stats.usage).toEqual(usage);
    expect(events).toMatchObject([{ type: 'ended', stats: { usage } }]);
  });

  test('keeps a bounded number of names of what was used', async () => {
    const { session, provider } = await talkingSession();
    for (let n = 0; n < 1000; n += 1) provider.context.tell({ type: 'usage', usage: { [`item${n}`]: 1 } });
    provider.context.tell({ type: 'usage', usage: { item0: 1 } });
    expect(Object.keys(session.stats.usage)).toHaveLength(50);
    expect(session.stats.usage.item0).toBe(2);
  });

  test('ends when its leg never comes', async () => {
    const { session, transport, time, events } = newSession();
    await session.open();
    time.pass(9999);
    expect(events).toEqual([]);
    time.pass(1);
    expect(events).toMatchObject([{ type: 'ended', reason: 'never-attached' }]);
    await session.close('closed');
    expect(transport.closed).toBe(1);
    await expect(session.attach({})).rejects.toMatchObject({ code: 'CF_SESSION_UNKNOWN' });
  });

  test('ends when the PBX sends nothing any more, and when it hangs up', async () => {
    const silent = await talkingSession();
    silent.time.pass(29_900);
    expect(silent.events).toEqual([]);
    silent.time.pass(200);
    expect(silent.events).toMatchObject([{ type: 'ended', reason: 'media-lost' }]);

    const hungUp = await talkingSession();
    hungUp.transport.listener.lost('closed by the PBX with code 1000');
    expect(hungUp.events).toMatchObject([
      { type: 'ended', reason: 'media-lost', detail: 'closed by the PBX with code 1000' },
    ]);
  });

  test('lets the bot say its last words before it ends', async () => {
    const { transport, provider, time, events } = await talkingSession();
    provider.context.playout.play(new Uint8Array(1600).fill(7));
    provider.context.tell({ type: 'ended', reason: 'goodbye' });
    time.pass(190);
    expect(events).toEqual([]);
    time.pass(40);
    expect(events).toMatchObject([{ type: 'ended', reason: 'provider-ended', detail: 'goodbye' }]);
    expect(transport.sent.filter((byte) => byte === 7)).toHaveLength(10);
  });

  test('ends when the provider fails, or was never reached', async () => {
    const failed = await talkingSession();
    const error = new VoiceProviderError('CF_PROVIDER_FAILED', 'simulated', 'the AI went away');
    failed.provider.context.tell({ type: 'failed', error });
    expect(failed.events).toMatchObject([{ type: 'ended', reason: 'provider-failed', detail: 'the AI went away' }]);

    const unreached = newSession(new SimulatedProvider(Promise.reject(error)));
    await unreached.session.open();
    await Promise.resolve();
    await unreached.session.close('closed');
    expect(unreached.events).toMatchObject([{ type: 'ended', reason: 'provider-failed', detail: 'the AI went away' }]);
  });

  test('ends when the provider never says anything though the caller spoke', async () => {
    const provider = new SimulatedProvider();
    provider.owes = 'answer';
    const { transport, time, events } = await talkingSession(provider);
    const loud = fromPcm(formatNamed('ulaw'), tone({ hz: 400, ms: 20, sampleRate: 8000, level: 0.5 }));
    say(transport, time, [...Array.from({ length: 50 }, () => loud), ...frames(779, SILENCE)]);
    expect(events).toEqual([]);
    say(transport, time, frames(2, SILENCE));
    expect(events).toMatchObject([
      {
        type: 'ended',
        reason: 'provider-failed',
        detail: 'simulated said nothing within 15000 ms, though the caller spoke',
      },
    ]);
    expect(time.timers).toBe(0);
  });

  test.each(['speaks', 'wants something done'])('goes on with a provider that %s', async (how) => {
    const provider = new SimulatedProvider();
    provider.owes = 'greeting';
    const { transport, time, events } = await talkingSession(provider);
    const { context } = provider;
    if (how === 'speaks') context.playout.play(frameOf(7));
    else context.tell({ type: 'tool-call', id: '1', name: 'weather', arguments: {} });
    say(transport, time, frames(1000, SILENCE));
    expect(events.filter(({ type }) => type === 'ended')).toEqual([]);
  });

  test('ends when the provider does not greet, but for one that goes on for another', async () => {
    const silent = new SimulatedProvider();
    silent.owes = 'greeting';
    const { transport, time, events } = await talkingSession(silent);
    say(transport, time, frames(760, SILENCE));
    expect(events).toMatchObject([{ reason: 'provider-failed', detail: expect.stringContaining('it has a greeting') }]);

    const next = newSession(silent, [{ role: 'bot', text: 'Good morning.' }]);
    await next.session.open();
    await next.session.attach({});
    say(next.transport, next.time, frames(1000, SILENCE));
    expect(next.session.state).toBe('TALKING');
    await next.session.close('closed');
  });

  test('ends when the provider does not get ready', async () => {
    const { events, time } = await attachedSession(new SimulatedProvider(new Promise(() => {})));
    time.pass(10_000);
    expect(events).toMatchObject([
      { type: 'ended', reason: 'provider-failed', detail: expect.stringContaining('within 10000 ms') },
    ]);
  });

  test('ends once, closes both sides once, and says nothing afterwards', async () => {
    const { session, transport, provider, time, events } = await talkingSession();
    await Promise.all([session.close('closed', 'hangup'), session.close('relay-stopped')]);
    expect(events).toMatchObject([{ type: 'ended', reason: 'closed', detail: 'hangup' }]);
    expect([transport.closed, provider.closed]).toEqual([1, 1]);
    const sent = transport.sent.length;
    time.pass(60_000);
    provider.context.tell({ type: 'speech-started', atMs: 1 });
    transport.listener.lost('late');
    expect(events).toHaveLength(1);
    expect(transport.sent).toHaveLength(sent);
    expect(time.timers).toBe(0);
  });

  test('closes a provider that connects only after the end', async () => {
    const opening = Promise.withResolvers<void>();
    const { session, provider } = newSession(new SimulatedProvider(opening.promise));
    await session.open();
    await session.close('closed');
    expect(provider.context.signal.aborted).toBe(true);
    opening.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(provider.closed).toBe(1);
  });

  test('attaches once, however often it is asked, and again after a failure', async () => {
    const { session, transport, time } = newSession();
    await session.open();
    transport.failure = new Error('refused');
    await expect(session.attach({ at: '1' })).rejects.toThrow('refused');
    transport.failure = undefined;
    await Promise.all([session.attach({ at: '2' }), session.attach({ at: '3' })]);
    expect(transport.attached).toEqual({ at: '2' });
    time.pass(1000);
    expect(transport.sent).toHaveLength(50);
  });

  test('that found no room has not begun: nobody is told of an end', async () => {
    const { session, transport, events } = newSession();
    transport.failure = new Error('no port');
    await expect(session.open()).rejects.toThrow('no port');
    expect(session.state).toBe('ENDED');
    expect(events).toEqual([]);
  });
});
