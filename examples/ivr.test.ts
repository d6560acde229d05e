import { simulateCall, survivesTakeovers } from '@callfleet/calls/testing';
import { describe, expect, test } from 'vitest';
import ivr from './ivr.ts';

describe('the menu', () => {
  test('1 talks to the parrot, until it ends', async () => {
    const call = simulateCall(ivr, {
      conversations: {
        parrot: [
          { after: 1000, caller: 'Hello!' },
          { after: 500, bot: 'Hello!' },
          { after: 2000, ends: 'provider-ended' },
        ],
      },
    });
    await call.waitFor('play sound:hello-world');
    await call.advance(700);
    call.press('1');
    const outcome = await call.ended();
    expect(call.transcript).toEqual([
      '0.000 answer',
      '0.000 gather',
      '0.000 play sound:hello-world',
      '0.700 caller presses 1',
      '0.700 connect parrot',
      '0.700 conversation.ended',
      '1.700 caller says "Hello!"',
      '2.200 bot says "Hello!"',
      '4.200 bot is gone: provider-ended',
      '4.200 hangup',
    ]);
    expect(outcome.endedBy).toBe('program');
  });

  test('2 says the number, if the caller shows it', async () => {
    const does = [{ at: 'gather', after: 1000, press: '2' }];
    const shown = simulateCall(ivr, { caller: { number: '4930123', does } });
    await shown.waitFor('play digits:4930123');
    const withheld = simulateCall(ivr, { caller: { does } });
    await withheld.waitFor('play sound:vm-unknown-caller');
  });

  test('0 goes to a human', async () => {
    const call = simulateCall(ivr, { caller: { does: [{ press: '0' }] } });
    expect((await call.ended()).endedBy).toBe('dialplan');
    expect(call.transcript).toContain('0.000 setVariable CALLFLEET_STATUS=OPERATOR');
  });

  test('asks three times', async () => {
    const call = simulateCall(ivr);
    for (let attempt = 1; attempt <= 3; attempt += 1) await call.waitFor('play sound:pbx-invalid');
    await call.waitFor('play sound:vm-goodbye');
    expect((await call.ended()).error).toBeUndefined();
  });

  test('survives its worker at any moment', async () => {
    await survivesTakeovers(ivr, {
      caller: {
        number: '4930123',
        does: [
          { at: 'gather', after: 2000, press: '7' },
          { at: 'gather', after: 2000, press: '2' },
        ],
      },
    });
  });
});
