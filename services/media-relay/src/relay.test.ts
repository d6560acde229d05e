import type { RelayRequest } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { PacingClock } from '@callfleet/media';
import { SimulatedTime } from '@callfleet/media/testing';
import { createLogger } from '@callfleet/telemetry';
import { describe, expect, test } from 'vitest';
import { RelayError } from './errors.ts';
import { Relay } from './relay.ts';
import { SimulatedTransport } from './simulated-media.ts';

const call = callIdOf('pbx-a', '1763701200.12');
const session = `${call}~media1`;

function newRelay(options: { maxSessions?: number; failingOpens?: number } = {}) {
  const time = new SimulatedTime();
  let failingOpens = options.failingOpens ?? 0;
  const transports: SimulatedTransport[] = [];
  const events: Array<{ session: string; type: string }> = [];
  let changes = 0;
  const relay = new Relay({
    relay: 'relay-1',
    zone: 'a',
    maxSessions: options.maxSessions ?? 10,
    attachTimeoutMs: 10_000,
    mediaTimeoutMs: 60_000,
    watch: { firstAudioMs: 15_000 },
    maxEventLoopDelayMs: 100,
    clock: new PacingClock(time, () => {}),
    time,
    log: createLogger('test', 'test', { level: 'silent', format: 'json' }),
    transport: (pbx, listener) => {
      if (pbx !== 'pbx-a') throw new RelayError('CF_PBX_UNKNOWN', `no ${pbx}`);
      const transport = new SimulatedTransport(listener);
      if (failingOpens > 0) transport.failure = new RelayError('CF_RELAY_PORTS_EXHAUSTED', 'no port is free');
      failingOpens -= 1;
      transports.push(transport);
      return transport;
    },
    events: (_call, id) => (event) => events.push({ session: id, type: event.type }),
    onChange: () => {
      changes += 1;
    },
  });
  return { relay, transports, events, time, changes: () => changes };
}

const echo = { name: 'echo', options: {} };
const open = (more: Partial<Extract<RelayRequest, { op: 'open' }>> = {}): RelayRequest => ({
  op: 'open',
  session,
  call,
  epoch: 1,
  pbx: 'pbx-a',
  provider: echo,
  ...more,
});
const attach = (epoch = 1): RelayRequest => ({
  op: 'attach',
  session,
  call,
  epoch,
  channelVariables: { UNICASTRTP_LOCAL_PORT: '30000' },
});
const say = (): RelayRequest => ({ op: 'say', session, call, epoch: 1, id: '1', text: 'Welcome.' });
const close = (epoch = 1): RelayRequest => ({ op: 'close', session, call, epoch, reason: 'hangup' });

describe('a relay', () => {
  test('opens, attaches and closes a session, and says what it measured', async () => {
    const { relay, transports, events } = newRelay();
    expect(await relay.handle(open())).toMatchObject({ ok: true, externalMedia: { format: 'ulaw' } });
    expect(await relay.handle(attach())).toEqual({ ok: true });
    transports[0]?.listener.heard(new Uint8Array(160));
    expect(await relay.handle(close())).toMatchObject({ ok: true, stats: { provider: 'echo', heard: { packets: 1 } } });
    expect(events).toEqual([
      { session, type: 'started' },
      { session, type: 'ended' },
    ]);
    expect(relay.announcement.sessions).toBe(0);
  });

  test('answers a repeated request as it did the first', async () => {
    const { relay, transports, events } = newRelay();
    const [first, second] = await Promise.all([relay.handle(open()), relay.handle(open())]);
    expect(second).toEqual(first);
    expect(transports).toHaveLength(1);
    await relay.handle(attach());
    expect(await relay.handle(attach())).toEqual({ ok: true });
    const ended = await relay.handle(close());
    expect(await relay.handle(close())).toEqual(ended);
    expect(events).toHaveLength(1);
  });

  test('does not open a session again that has ended', async () => {
    const { relay } = newRelay();
    await relay.handle(open());
    await relay.handle(close());
    expect(await relay.handle(open())).toMatchObject({ ok: false, code: 'CF_SESSION_UNKNOWN' });
  });

  test('keeps what it measured of a session that ended by itself', async () => {
    const { relay, time } = newRelay();
    await relay.handle(open());
    time.pass(10_000);
    expect(relay.announcement.sessions).toBe(0);
    expect(await relay.handle(close())).toMatchObject({ ok: true, stats: { heard: { packets: 0 } } });
  });

  test('obeys no worker that has lost the call', async () => {
    const { relay } = newRelay();
    await relay.handle(open({ epoch: 3 }));
    await relay.handle(attach(4));
    for (const request of [open({ epoch: 3 }), attach(3), close(3)])
      expect(await relay.handle(request)).toMatchObject({ ok: false, code: 'CF_RELAY_FENCED' });
    expect(await relay.handle(close(4))).toMatchObject({ ok: true });
  });

  test('refuses what it cannot do, and says why', async () => {
    const { relay } = newRelay({ maxSessions: 1 });
    const refusals: Array<[RelayRequest, string]> = [
      [open({ provider: { name: 'sherpa', options: {} } }), 'CF_PROVIDER_UNKNOWN'],
      [open({ provider: { name: 'echo', options: { colour: 'blue' } } }), 'CF_PROVIDER_OPTIONS'],
      [open({ pbx: 'pbx-z' }), 'CF_PBX_UNKNOWN'],
      [attach(), 'CF_SESSION_UNKNOWN'],
      [say(), 'CF_SESSION_UNKNOWN'],
      [close(), 'CF_SESSION_UNKNOWN'],
    ];
    for (const [request, code] of refusals) expect(await relay.handle(request)).toMatchObject({ ok: false, code });
    await relay.handle(open());
    expect(await relay.handle(open({ session: `${call}~media2` }))).toMatchObject({ ok: false, code: 'CF_RELAY_FULL' });
    expect(await relay.handle(say()), 'echo says nothing of its own').toMatchObject({ code: 'CF_CANNOT_SAY' });
  });

  test('that found no room for a session can be asked again', async () => {
    const { relay, events } = newRelay({ failingOpens: 1 });
    expect(await relay.handle(open())).toMatchObject({ ok: false, code: 'CF_RELAY_PORTS_EXHAUSTED' });
    expect(relay.announcement.sessions).toBe(0);
    expect(await relay.handle(open())).toMatchObject({ ok: true });
    expect(events).toEqual([]);
  });

  test('announces its room, and whenever that changes', async () => {
    const { relay, changes } = newRelay();
    expect(relay.announcement).toEqual({
      ...{ relay: 'relay-1', zone: 'a', sessions: 0, maxSessions: 10 },
      ...{ draining: false, late: false },
    });
    await relay.handle(open());
    expect(relay.announcement.sessions).toBe(1);
    await relay.handle(close());
    expect(changes()).toBe(2);
  });

  test('says that it is late while its event loop is, and no more when it is well below', () => {
    const { relay, changes } = newRelay();
    for (const delayMs of [150, 0, 150, 150]) relay.measure(delayMs);
    expect(relay.announcement.late).toBe(false);
    relay.measure(150);
    expect(relay.announcement).toMatchObject({ late: true, draining: false, sessions: 0 });
    expect([relay.isLate, changes()]).toEqual([true, 1]);
    for (let second = 0; second < 10; second += 1) relay.measure(80);
    expect(relay.isLate).toBe(true);
    for (let second = 0; second < 5; second += 1) relay.measure(10);
    expect(relay.announcement.late).toBe(false);
    expect(changes()).toBe(2);
  });

  test('that stops takes nothing new and ends what it has', async () => {
    const { relay, events, transports } = newRelay();
    await relay.handle(open());
    await relay.stop();
    expect(events).toEqual([{ session, type: 'ended' }]);
    expect(transports[0]?.closed).toBe(1);
    expect(relay.announcement).toMatchObject({ sessions: 0, draining: true });
    expect(await relay.handle(open({ session: `${call}~media2` }))).toMatchObject({
      ok: false,
      code: 'CF_RELAY_DRAINING',
    });
  });
});
