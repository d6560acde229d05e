import { describe, expect, test } from 'vitest';
import type { Call, CallError } from '../mod.ts';
import { defineCall } from '../mod.ts';
import { type SimulationOptions, simulateCall } from './mod.ts';

/** Runs a program to the end of its call. */
async function run(program: (call: Call) => Promise<unknown>, options: SimulationOptions = {}) {
  const call = simulateCall(
    defineCall(async (it) => void (await program(it))),
    options,
  );
  const outcome = await call.ended();
  expect(outcome.error).toBeUndefined();
  return { call, outcome, transcript: call.transcript };
}

const codeOf = (error: unknown) => (error as CallError).code;

describe('the caller', () => {
  test('is let ring, answered, played to, sent digits, held, muted, and hung up', async () => {
    const { transcript, outcome } = await run(
      async (call) => {
        await call.ring();
        await call.sleep(1500);
        await call.answer();
        await call.play(['sound:a', 'sound:b']);
        await call.sendDtmf('12#');
        await call.hold({ music: 'jazz' });
        await call.unhold();
        await call.mute();
        await call.unmute('both');
        await call.hangup('busy');
      },
      { sounds: { 'sound:a': 2500 } },
    );
    expect(transcript).toEqual([
      '0.000 ring',
      '0.000 sleep 1500 ms',
      '1.500 answer',
      '1.500 play sound:a, sound:b',
      '5.000 sendDtmf 12#',
      '5.000 hold jazz',
      '5.000 unhold',
      '5.000 mute in',
      '5.000 unmute both',
      '5.000 hangup busy',
    ]);
    expect(outcome).toMatchObject({ endedBy: 'program', cause: { code: 17, text: 'User busy' } });
  });

  test('presses digits, early and late, and stops what is played', async () => {
    const told: unknown[] = [];
    const { transcript } = await run(
      async (call) => {
        await call.sleep(1000);
        told.push(await call.gather({ prompt: 'sound:a', count: 2 }));
        told.push(await call.gather({ prompt: 'sound:b', count: 4, finishKey: '#' }));
        told.push(await call.gather({ retries: 1, prompt: 'sound:c', retryPrompt: 'sound:d' }));
      },
      {
        caller: {
          does: [{ press: '12' }, { at: 'play sound:b', after: 500, press: '3' }, { after: 200, press: '4#' }],
        },
      },
    );
    expect(told).toEqual([
      { digits: '12', reason: 'count' },
      { digits: '34', reason: 'finish-key' },
      { digits: '', reason: 'timeout' },
    ]);
    expect(transcript.slice(2)).toEqual([
      '1.000 gather',
      '1.000 gather',
      '1.000 play sound:b',
      '1.500 caller presses 3',
      '1.700 caller presses 4#',
      '1.700 gather',
      '1.700 play sound:c',
      '7.700 gather',
      '7.700 play sound:d',
      '13.700 hangup',
    ]);
  });

  test('hears no sound that is missing', async () => {
    let error: unknown;
    await run(
      async (call) => {
        error = await call.play('sound:nope').catch((cause: unknown) => cause);
      },
      { missing: ['sound:nope'] },
    );
    expect(codeOf(error)).toBe('CF_PLAYBACK_FAILED');
  });

  test('is recorded, with pauses, until a limit, silence, a digit or the end', async () => {
    const ends: unknown[] = [];
    const { transcript } = await run(
      async (call) => {
        const stopped = await call.record();
        await call.sleep(3000);
        await stopped.pause();
        await call.sleep(5000);
        await stopped.resume();
        await call.sleep(2000);
        ends.push(await stopped.stop());
        ends.push(await (await call.record({ maxDurationMs: 4000 })).ended());
        ends.push(await (await call.record({ maxSilenceMs: 2000 })).ended());
        ends.push(await (await call.record({ stopOn: ['#'] })).ended());
      },
      {
        caller: {
          does: [
            { after: 15_000, speak: 3000 },
            { after: 10_000, press: '#' },
          ],
        },
      },
    );
    const durations = ends.map((end) => (end as { durationMs: number }).durationMs);
    expect(durations).toEqual([5000, 4000, 6000, 5000]);
    expect(transcript).toContain('15.000 caller speaks for 3000 ms');
  });

  test('is told of by events', async () => {
    const told: unknown[] = [];
    const call = simulateCall(
      defineCall(async (it) => {
        await it.setVariable('TALK_DETECT(set)', '');
        it.on('digit', ({ digit }) => void told.push(digit));
        await it.next('hold');
        await it.next('unhold');
        await it.next('talking-started');
        told.push((await it.next('talking-finished')).durationMs);
        const { name, data } = await it.next('user');
        told.push(name, data);
        told.push((await it.next('ari.ChannelUserevent')).eventname);
      }),
    );
    await call.waitFor('next hold');
    call.press('5');
    call.hold();
    call.hold(false);
    call.speak(700);
    await call.waitFor('next user');
    call.userEvent('vip', { level: 3 });
    await call.ended();
    expect(told).toEqual(['5', 700, 'vip', { level: 3 }, 'vip']);
  });

  test('hangs up, and the program is told so', async () => {
    const { outcome, transcript } = await run((call) => call.answer().then(() => call.sleep(60_000)), {
      caller: { does: [{ after: 3000, hangUp: true }] },
    });
    expect(outcome).toMatchObject({ endedBy: 'caller', cause: { code: 16 } });
    expect(transcript.at(-1)).toBe('3.000 caller hangs up');
  });

  test('goes back to the dialplan', async () => {
    const { outcome, transcript } = await run((call) => call.continueInDialplan({ context: 'queues', extension: '5' }));
    expect(outcome.endedBy).toBe('dialplan');
    expect(transcript).toEqual(['0.000 continueInDialplan queues,5']);
  });
});

test('what is known of the call, variables, steps, time and chance', async () => {
  const told: unknown[] = [];
  const program = async (call: Call) => {
    told.push(await call.now(), await call.random(), await call.random());
    told.push(call.caller.number, call.caller.name, call.called.number, call.args, call.variables);
    told.push(await call.getVariable('LANGUAGE'), await call.getVariable('NONE'));
    await call.setVariable('NONE', 'some');
    told.push(await call.getVariable('NONE'));
    told.push(await call.step('replaced', () => 'real'), await call.step('real', async () => 'done'));
  };
  const options = {
    caller: { number: '4930123', name: 'Ada' },
    called: { number: '300' },
    args: ['a'],
    variables: { LANGUAGE: 'de' },
    at: '2026-05-01T10:00:00Z',
    steps: { replaced: () => 'test' },
  };
  const { transcript } = await run(program, options);
  const [now, first, second, ...known] = told.splice(0);
  expect(now).toBe(Date.parse('2026-05-01T10:00:00Z'));
  expect(known).toEqual([
    ...['4930123', 'Ada', '300', ['a'], { LANGUAGE: 'de' }],
    ...['de', undefined, 'some', 'test', 'done'],
  ]);
  expect(transcript).toContain('0.000 step replaced');
  expect(transcript).toContain('0.000 setVariable NONE=some');
  expect(first).not.toBe(second);
  await run(program, options);
  expect(told.splice(0)[1], 'the same lot for the same seed').toBe(first);
  await run(program, { ...options, seed: 2 });
  expect(told.splice(0)[1]).not.toBe(first);
});

describe('dialling', () => {
  test('meets who answers, who is busy, who rejects, whose trunk is full, who is not reached, and who does not answer', async () => {
    const reasons: unknown[] = [];
    const { transcript } = await run(
      async (call) => {
        for (const endpoint of ['PJSIP/busy', 'PJSIP/rejects', 'PJSIP/1@trunk', 'PJSIP/nobody', 'PJSIP/asleep'])
          reasons.push(await call.dial(endpoint, { ringTimeoutMs: 10_000 }));
        const first = await call.dial(['PJSIP/asleep', 'PJSIP/quick', 'PJSIP/slow']);
        reasons.push(first.answered && first.endpoint);
        const inTurn = await call.dial(['PJSIP/busy', 'PJSIP/slow'], { order: 'in-turn' });
        const overflow = await call.dial(['PJSIP/1@trunk', 'PJSIP/quick']);
        reasons.push(overflow.attempts.map(({ outcome }) => outcome));
        reasons.push(inTurn.attempts.map(({ outcome }) => outcome));
      },
      {
        endpoints: {
          'PJSIP/busy': 'busy',
          'PJSIP/rejects': 'rejects',
          'PJSIP/1@trunk': 'congested',
          'PJSIP/nobody': 'unreachable',
          'PJSIP/asleep': 'no-answer',
          'PJSIP/slow': { afterMs: 5000 },
        },
      },
    );
    expect(reasons).toMatchObject([
      { answered: false, reason: 'busy', attempts: [{ cause: { code: 17, text: 'User busy' } }] },
      { answered: false, reason: 'rejected' },
      { answered: false, reason: 'congested', attempts: [{ error: { code: 'CF_TRUNK_FULL' } }] },
      { answered: false, reason: 'unreachable' },
      { answered: false, reason: 'no-answer' },
      'PJSIP/quick',
      ['congested', 'answered'],
      ['busy', 'answered'],
    ]);
    expect(transcript.slice(0, 3)).toEqual([
      '0.000 dial PJSIP/busy',
      '1.000 PJSIP/busy is busy',
      '1.000 dial PJSIP/rejects',
    ]);
    expect(transcript).toContain('12.000 PJSIP/asleep stops ringing');
  });

  test('gives a leg: it presses digits, hears sounds, is joined with the caller, and hangs up', async () => {
    const told: unknown[] = [];
    const { transcript } = await run(
      async (call) => {
        const dialed = await call.dial('PJSIP/agent', { earlyMedia: true });
        if (!dialed.answered) return;
        await dialed.leg.play('sound:press-1-to-accept');
        told.push((await dialed.leg.gather()).digits);
        const room = await call.bridge(dialed.leg);
        await room.ended();
        told.push(await dialed.leg.ended());
        told.push(await dialed.leg.play('sound:x').catch(codeOf));
      },
      {
        endpoints: {
          'PJSIP/agent': {
            does: [
              { at: 'leg.gather', after: 500, press: '1' },
              { after: 4000, hangUp: true },
            ],
          },
        },
      },
    );
    expect(told).toEqual(['1', { cause: { code: 16, text: 'Normal Clearing' } }, 'CF_LEG_ENDED']);
    expect(transcript).toEqual([
      '0.000 dial PJSIP/agent',
      '1.000 PJSIP/agent answers',
      '1.000 PJSIP/agent: play sound:press-1-to-accept',
      '2.000 leg.gather',
      '2.500 PJSIP/agent presses 1',
      '2.500 bridge caller, PJSIP/agent',
      '2.500 room.ended',
      '6.500 PJSIP/agent hangs up',
      '6.500 leg.ended',
      '6.500 hangup',
    ]);
  });

  test('a leg is driven by the test too', async () => {
    const call = simulateCall(
      defineCall(async (it) => {
        const dialed = await it.dial('PJSIP/agent');
        if (dialed.answered) await (await it.bridge(dialed.leg)).ended();
      }),
    );
    expect(() => call.leg('PJSIP/agent')).toThrow(/nobody has dialled PJSIP\/agent/);
    await call.waitFor('bridge');
    call.leg('PJSIP/agent').hangUp();
    expect((await call.ended()).endedBy).toBe('program');
    expect(() => call.leg('PJSIP/agent').press('1')).toThrow(/PJSIP\/agent can't press/);
  });
});

describe('rooms', () => {
  test('take in, let go, mute, hold, announce and close', async () => {
    const { transcript } = await run(async (call) => {
      const dialed = await call.dial('PJSIP/agent');
      if (!dialed.answered) return;
      const room = await call.conference('sales');
      await room.join(dialed.leg);
      await room.mute(dialed.leg);
      await room.unmute(dialed.leg);
      await room.hold(dialed.leg);
      await room.unhold(dialed.leg);
      await room.announce('sound:a');
      await room.announce('sound:b', { to: dialed.leg });
      await room.leave(dialed.leg);
      await room.close();
    });
    expect(transcript.slice(2)).toEqual([
      '1.000 conference sales: caller',
      '1.000 room.join sales: PJSIP/agent',
      '1.000 PJSIP/agent: mute in',
      '1.000 PJSIP/agent: unmute in',
      '1.000 room.hold PJSIP/agent',
      '1.000 room.unhold PJSIP/agent',
      '1.000 room.unhold sales: PJSIP/agent',
      '1.000 room.announce sound:a',
      '2.000 PJSIP/agent: play sound:b',
      '3.000 room.leave PJSIP/agent',
      '3.000 room.close',
      '3.000 hangup',
    ]);
  });

  test('are without the caller too', async () => {
    const { transcript } = await run(async (call) => {
      const dialed = await call.dial('PJSIP/agent');
      if (dialed.answered) await call.room(dialed.leg);
    });
    expect(transcript).toContain('1.000 room PJSIP/agent');
  });

  test('of all calls end when the last has left: closing takes out everybody of this call', async () => {
    let error: unknown;
    await run(async (call) => {
      const dialed = await call.dial('PJSIP/agent');
      const room = await call.conference('sales');
      if (dialed.answered) await room.join(dialed.leg);
      await room.close();
      error = await room.announce('sound:a').catch((cause: unknown) => cause);
    });
    expect(codeOf(error)).toBe('CF_PBX_REFUSED');
  });

  test('have a supervisor who listens', async () => {
    const { transcript } = await run(async (call) => {
      const spy = await call.snoop({ spy: 'in', whisper: 'out' });
      const dialed = await call.dial('PJSIP/supervisor');
      if (dialed.answered) await (await call.bridge(dialed.leg)).join(spy);
      await spy.hangup();
    });
    expect(transcript).toContain('0.000 snoop spy=in whisper=out');
    expect(transcript).toContain('1.000 room.join snoop of caller');
    expect(transcript).toContain('1.000 snoop of caller: hangup');
  });
});

describe('transfers', () => {
  const transfer = (kind: 'blind' | 'attended' | 'warm', options: SimulationOptions = {}) => {
    const told: { transferred: boolean; reason?: string }[] = [];
    return run(async (call) => {
      const transferred = await call.transfer('PJSIP/agent', { kind, announcement: 'sound:vip', acceptDigit: '1' });
      told.push(transferred);
      if (transferred.transferred && transferred.kind !== 'blind') await transferred.room.ended();
    }, options).then((done) => ({ ...done, told: told[0] }));
  };

  test('blind: the call is over when the target takes it, and goes on when it does not', async () => {
    const { outcome, transcript } = await transfer('blind');
    expect(outcome.endedBy).toBe('transfer');
    expect(transcript).toEqual(['0.000 transfer blind PJSIP/agent']);
    const refused = await transfer('blind', { endpoints: { 'PJSIP/agent': 'busy' } });
    expect(refused.told).toMatchObject({ transferred: false, reason: 'rejected' });
  });

  test('attended and warm: caller and target talk', async () => {
    const agent = { does: [{ after: 20_000, hangUp: true }] } as const;
    const { transcript } = await transfer('attended', { endpoints: { 'PJSIP/agent': agent } });
    expect(transcript.map((line) => line.slice(line.indexOf(' ') + 1))).toEqual([
      ...['hold', 'dial PJSIP/agent', 'PJSIP/agent answers', 'unhold', 'bridge caller, PJSIP/agent', 'room.ended'],
      ...['PJSIP/agent hangs up', 'hangup'],
    ]);
    const accepts = {
      does: [
        { at: 'leg.gather', after: 1000, press: '1' },
        { after: 9000, hangUp: true },
      ],
    } as const;
    const warm = await transfer('warm', { endpoints: { 'PJSIP/agent': accepts } });
    expect(warm.told).toMatchObject({ transferred: true, kind: 'warm' });
    const declined = await transfer('warm');
    expect(declined.told).toMatchObject({ transferred: false, reason: 'declined' });
  });
});

describe('conversations', () => {
  test('follow their script: turns, tool calls, interruptions, and the end', async () => {
    const told: unknown[] = [];
    const { transcript } = await run(
      async (call) => {
        const conversation = await call.connect('parrot');
        conversation.on('turn', ({ role, text }) => void told.push(`${role}: ${text}`));
        conversation.on('tool-call-cancelled', ({ id }) => void told.push(`cancelled ${id}`));
        const { id, name, arguments: given } = await conversation.next('tool-call');
        told.push(name, given);
        await conversation.toolResult(id, 'sunny');
        told.push((await conversation.ended()).reason);
      },
      {
        conversations: {
          parrot: [
            { after: 1000, caller: 'How is the weather?' },
            { after: 500, toolCall: { name: 'weather', arguments: { city: 'Berlin' } } },
            { at: 'conversation.toolResult', after: 500, bot: 'Sunny.' },
            { toolCall: { name: 'book' } },
            { after: 500, interrupt: true },
            { after: 1000, ends: 'provider-ended' },
          ],
        },
      },
    );
    expect(told).toEqual([
      ...['caller: How is the weather?', 'weather', { city: 'Berlin' }, 'bot: Sunny.', 'cancelled tool-2'],
      'provider-ended',
    ]);
    expect(transcript.filter((line) => !/next/.test(line))).toEqual([
      '0.000 connect parrot',
      '1.000 caller says "How is the weather?"',
      '1.500 bot calls weather {"city":"Berlin"}',
      '1.500 conversation.toolResult tool-1 sunny',
      '1.500 conversation.ended',
      '2.000 bot says "Sunny."',
      '2.000 bot calls book {}',
      '2.500 caller interrupts',
      '3.500 bot is gone: provider-ended',
      '3.500 hangup',
    ]);
  });

  test('are driven by the test, closed by the program, or not to be had', async () => {
    const call = simulateCall(
      defineCall(async (it) => {
        const conversation = await it.connect('parrot');
        await conversation.next('turn');
        await conversation.close();
        await it.connect('openai').catch((error: unknown) => it.play(`characters:${codeOf(error)}`));
      }),
      { conversations: { openai: 'unavailable' } },
    );
    expect(() => call.inConversation({ bot: 'hello' })).toThrow(/in no conversation/);
    await call.waitFor('connect parrot');
    await call.advance(700);
    call.inConversation({ bot: 'hello' });
    await call.ended();
    expect(call.transcript).toContain('0.700 play characters:CF_MEDIA_UNAVAILABLE');
  });
});
