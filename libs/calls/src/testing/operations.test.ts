import { describe, expect, test } from 'vitest';
import { type Call, defineCall } from '../mod.ts';
import { simulateCall } from './mod.ts';
import { codeOf, run } from './run-to-end.ts';

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
