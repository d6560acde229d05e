import { callIdOf } from '@callfleet/identity';
import { describe, expect, test } from 'vitest';
import { callRecordOf, callRecordSchema } from './call-record.ts';
import type { Offer } from './offer.ts';

const offer: Offer = {
  call: callIdOf('pbx-a', '1763701200.1'),
  pbx: 'pbx-a',
  shard: 'callfleet-1',
  zone: 'a',
  channelId: '1763701200.1',
  channelName: 'PJSIP/x',
  channelState: 'Ring',
  caller: { number: '1001', name: '' },
  called: { number: '100', context: 'default' },
  args: [],
  variables: {},
  epoch: 0,
  gateway: 'gateway-1',
  enteredAt: '2026-11-21T05:45:40.000Z',
  expiresAt: 0,
};
const endedAt = '2026-11-21T05:45:50.500Z';

function media(talkMs: number) {
  return {
    provider: 'echo',
    transport: 'rtp' as const,
    talkMs,
    heard: { packets: 0, ms: 0, peakDbfs: -96, speechMs: 0, lost: 0 },
    spoke: { packets: 0, ms: 0 },
    usage: { inputTokens: 3 },
    relay: 'relay-1',
    reason: 'closed',
  };
}

test('an answered call rang until its answer and talked until its end; its bots talked as long as each of them did', () => {
  const record = callRecordOf(offer, {
    program: { name: 'ivr', version: 'v1' },
    workers: ['worker-1', 'worker-2', 'worker-3'],
    answeredAt: '2026-11-21T05:45:41.250Z',
    endedAt,
    endedBy: 'caller',
    digits: 2,
    media: [media(1000), media(2500)],
  });
  expect(record).toMatchObject({ ringMs: 1250, talkMs: 9250, botMs: 3500, takeovers: 2 });
  expect(callRecordSchema.parse(record)).toEqual(record);
});

test('a call that was never answered rang until its end, and nobody talked', () => {
  const record = callRecordOf(offer, { workers: [], endedAt, endedBy: 'dialplan', status: 'NOWORKER' });
  expect(record).toMatchObject({ ringMs: 10_500, takeovers: 0, media: [] });
  expect(record).not.toHaveProperty('talkMs');
  expect(record).not.toHaveProperty('botMs');
  expect(callRecordSchema.parse(record)).toEqual(record);
});

describe('the record of a call that we placed', () => {
  const dial = { program: 'ivr', endpoint: 'PJSIP/alice', ringTimeoutMs: 1000, variables: {} };
  const placed: Offer = { ...offer, dial };
  const none = { workers: [] as string[], endedAt };

  test('says who was called, and that they ended it', () => {
    const record = callRecordOf(placed, { ...none, answeredAt: endedAt, endedBy: 'caller' });
    const told = { endpoint: 'PJSIP/alice', outcome: 'answered' };
    expect(record).toMatchObject({ direction: 'outbound', dial: told, endedBy: 'callee' });
    expect(callRecordSchema.parse(record)).toEqual(record);
  });

  test('says why nobody answered', () => {
    const busy = { code: 17, text: 'User busy' };
    expect(
      callRecordOf({ ...placed, dial: { ...dial, trunk: 'a' } }, { ...none, endedBy: 'caller', cause: busy }),
    ).toMatchObject({
      endedBy: 'unanswered',
      dial: { outcome: 'busy', trunk: 'a' },
    });
    expect(callRecordOf(placed, { ...none, endedBy: 'unanswered', dialed: 'no-answer' }).dial?.outcome).toBe(
      'no-answer',
    );
    expect(callRecordOf(placed, { ...none, endedBy: 'error' })).toMatchObject({
      endedBy: 'error',
      dial: { outcome: 'failed' },
    });
  });
});
