import { describe, expect, test } from 'vitest';
import { defineCall } from '../mod.ts';
import { type SimulationOptions, simulateCall } from './mod.ts';
import { codeOf, run } from './run-to-end.ts';

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
