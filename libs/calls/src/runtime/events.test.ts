import { describe, expect, test } from 'vitest';
import { ScriptedCall, settle } from './scripted-call.ts';

const CHANNEL = { id: '1763701200.12' };
const LEG = 'pbx-a.1763701200_12~media1';

/** A call whose media legs are there at once. */
function callWithMedia(): ScriptedCall {
  const call = new ScriptedCall();
  call.answers['POST /channels/externalMedia'] = () => {
    call.tell('StasisStart', { channel: { id: LEG, state: 'Up' } });
    return { status: 200, body: { id: LEG, channelvars: {} } };
  };
  return call;
}

/** A call that can go back to the dialplan. */
function callWithFallback(): ScriptedCall {
  const call = new ScriptedCall();
  call.answers['POST /channels/{channelId}/continue'] = () => {
    call.tell('StasisEnd');
    return { status: 204 };
  };
  return call;
}

describe('events', () => {
  test('are kept from the start, in order, until they are read', async () => {
    const call = new ScriptedCall();
    call.tell('ChannelUserevent', { channel: CHANNEL, eventname: 'first', userevent: { n: 1 } });
    call.tell('ChannelUserevent', { channel: CHANNEL, eventname: 'second', userevent: {} });
    const read: unknown[] = [];
    await call.run(async (it) => {
      const { name, data } = await it.next('user');
      read.push(name, data, (await it.next('user')).name);
    });
    expect(read).toEqual(['first', { n: 1 }, 'second']);
  });

  test('that were read before a takeover are not read again', async () => {
    const call = new ScriptedCall();
    let read: string[] = [];
    const done = call.run(async (it) => {
      read = [];
      it.on('user', ({ name }) => void read.push(name));
      await it.next('hold');
    });
    const tell = (eventname: string) => call.tell('ChannelUserevent', { channel: CHANNEL, eventname, userevent: {} });
    tell('one');
    await settle();
    call.takeOver();
    await settle();
    tell('two');
    await settle();
    call.takeOver();
    await settle();
    tell('three');
    await settle();
    call.tell('ChannelHold');
    await done;
    expect(read).toEqual(['one', 'two', 'three']);
  });

  test('of other channels are not the caller’s', async () => {
    const call = callWithFallback();
    const done = call.run(async (it) => void (await it.next('hold', { timeoutMs: 1000 })));
    await settle();
    call.tell('ChannelHold', { channel: { id: 'somebody-else' } });
    await call.advance(1001);
    expect(await done).toMatchObject({ endedBy: 'error', error: { code: 'CF_TIMED_OUT' } });
  });

  test('can be read as the PBX told them', async () => {
    const call = new ScriptedCall();
    let event: unknown;
    const done = call.run(async (it) => {
      event = await it.next('ari.ChannelConnectedLine');
    });
    await settle();
    call.tell('ChannelConnectedLine', { channel: CHANNEL, extra: 'x' });
    await done;
    expect(event).toMatchObject({ type: 'ChannelConnectedLine', extra: 'x' });
  });

  test('of a type that there is not are refused in words', async () => {
    const call = callWithFallback();
    const outcome = await call.run(async (it) => void (await it.next('holt' as 'hold')));
    expect(outcome.error?.message).toMatch(/no event "holt": digit, hold, unhold/);
  });

  test('a listener that throws ends the program', async () => {
    const call = callWithFallback();
    const done = call.run(async (it) => {
      it.on('hold', () => {
        throw new Error('no');
      });
      await it.sleep(60_000);
    });
    await settle();
    call.tell('ChannelHold');
    expect(await done).toMatchObject({ endedBy: 'error', error: { code: 'CF_PROGRAM_FAILED', message: 'no' } });
  });

  test('a listener that is stopped hears nothing more, and takes nothing from others', async () => {
    const call = new ScriptedCall();
    const heard: string[] = [];
    let next = '';
    const done = call.run(async (it) => {
      const stop = it.on('user', ({ name }) => void heard.push(name));
      await it.next('hold');
      stop();
      next = (await it.next('user')).name;
    });
    await settle();
    call.tell('ChannelUserevent', { channel: CHANNEL, eventname: 'one', userevent: {} });
    call.tell('ChannelHold');
    await settle();
    call.tell('ChannelUserevent', { channel: CHANNEL, eventname: 'two', userevent: {} });
    await done;
    expect([heard, next]).toEqual([['one'], 'two']);
  });
});

describe('a conversation', () => {
  test('tells its turns, and has its tool calls answered once', async () => {
    const call = callWithMedia();
    const turns: string[] = [];
    const done = call.run(async (it) => {
      const conversation = await it.connect('echo');
      conversation.on('turn', ({ role, text }) => void turns.push(`${role}: ${text}`));
      conversation.on('tool-call', async ({ id, name, arguments: args }) => {
        await conversation.toolResult(id, await it.step(`tool ${name}`, () => `${name} of ${args.city as string}`));
      });
      await conversation.ended();
    });
    await settle();
    call.tell('media.turn', { session: LEG, role: 'caller', text: 'how is the weather', startMs: 0, endMs: 900 });
    call.tell('media.tool-call', { session: LEG, id: 't1', name: 'weather', arguments: { city: 'Bremen' } });
    await settle();
    call.takeOver();
    await settle();
    call.tell('media.turn', { session: LEG, role: 'bot', text: 'rain', startMs: 1000, endMs: 1400 });
    await settle();
    call.callerHangsUp();
    await done;
    expect(turns.slice(-2)).toEqual(['caller: how is the weather', 'bot: rain']);
    expect(call.media.filter((asked) => asked.startsWith('result'))).toEqual(['result t1 weather of Bremen']);
  });
});

describe('a program that goes on for too long', () => {
  test('with its call is stopped, and its caller goes to the fallback', async () => {
    const call = callWithFallback();
    const done = call.run(() => new Promise<void>(() => {}));
    await call.advance(4 * 3_600_000 + 1);
    expect(await done).toMatchObject({ endedBy: 'error', error: { code: 'CF_PROGRAM_TIMED_OUT' } });
    expect(call.commands).toContain('POST channels/1763701200.12/continue');
  });

  test('after its call is left behind', async () => {
    const call = new ScriptedCall();
    const done = call.run(async (it) => {
      await it.sleep(1000).catch(() => {});
      await it.step('never', () => new Promise<void>(() => {}));
    });
    await settle();
    call.callerHangsUp();
    await call.advance(60_001);
    expect(await done).toMatchObject({ endedBy: 'caller', error: { code: 'CF_PROGRAM_TIMED_OUT' } });
  });

  test('does not notice that its call is another worker’s, and is left behind', async () => {
    const call = new ScriptedCall();
    const done = call.runtime.run({ run: () => new Promise<void>(() => {}) } as never);
    call.runtime.abandon('test');
    expect(await done).toBeUndefined();
  });
});

test('a leg whose phone hands its call over is the same leg: its successor has its place', async () => {
  const call = new ScriptedCall();
  const first = 'pbx-a.1763701200_12~leg1';
  const second = '1763701200.99';
  call.answers['POST /channels/create'] = () => {
    call.tell('StasisStart', { channel: { id: first, state: 'Down' } });
    return { status: 200, body: { id: first } };
  };
  call.answers['POST /channels/{channelId}/dial'] = () => {
    call.tell('ChannelStateChange', { channel: { id: first, state: 'Up' } });
    return { status: 204 };
  };
  let reason: unknown;
  const done = call.run(async (it) => {
    const dialed = await it.dial('PJSIP/agent');
    if (!dialed.answered) return;
    const { leg } = dialed;
    await it.next('hold');
    reason = await leg.gather({ count: 1 });
    await leg.mute();
    await leg.ended();
  });
  await settle();
  call.tell('StasisStart', { channel: { id: second, state: 'Up' }, replace_channel: { id: first } });
  call.tell('StasisEnd', { channel: { id: first } });
  call.tell('ChannelHold');
  await settle();
  call.tell('ChannelDtmfReceived', { channel: { id: second }, digit: '4' });
  await settle();
  expect(call.commands).toContain(`POST channels/${second}/mute`);
  call.tell('ChannelDestroyed', { channel: { id: second }, cause: 16 });
  await done;
  expect(reason).toEqual({ digits: '4', reason: 'count' });
  expect(call.commands, 'both are removed at the end').toContain(`DELETE channels/${second}`);
});
