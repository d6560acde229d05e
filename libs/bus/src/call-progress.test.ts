import { callIdOf } from '@callfleet/identity';
import { expect, test } from 'vitest';
import type { CallEvent } from './call-event.ts';
import { advance, type CallProgress } from './call-progress.ts';

const CHANNEL = '1763701200.12';
const call = callIdOf('pbx-a', CHANNEL);

/** What is known after these events, one a second. */
function after(...events: Array<{ type: string; state?: string; cause?: number; of?: string }>): CallProgress {
  return events.reduce((progress, { type, state, cause, of = CHANNEL }, second) => {
    const data = { channel: { id: of, state }, cause, cause_txt: `text of ${cause}` };
    const event: CallEvent = { id: '', call, source: '', seq: 1, at: `00:0${second}`, type: `ari.${type}`, data };
    return advance(progress, event, CHANNEL);
  }, {});
}

test('a call is answered once, by what is Up first, and not by its legs', () => {
  const up = { type: 'ChannelStateChange', state: 'Up' };
  expect(after({ type: 'StasisStart', state: 'Ring' }, { ...up, of: 'a leg' }, up, up)).toEqual({
    answeredAt: '00:02',
  });
});

test('a call that the dialplan answers when it has it back was not answered', () => {
  const progress = after({ type: 'StasisEnd' }, { type: 'ChannelStateChange', state: 'Up' });
  expect(progress).toEqual({ endedAt: '00:00' });
});

test('the cause is the last that was told: a channel in no bridge has it in its hang-up only', () => {
  const hangup = { type: 'ChannelHangupRequest', cause: 16 };
  const text = 'text of 16';
  expect(after(hangup, { type: 'ChannelDestroyed', cause: 0 }).cause).toEqual({ code: 16, text });
  expect(after(hangup, { type: 'ChannelDestroyed', cause: 127 }).cause?.code).toBe(127);
  expect(after({ type: 'ChannelHangupRequest' }, { type: 'StasisEnd' })).toEqual({ hangingUp: true, endedAt: '00:01' });
});
