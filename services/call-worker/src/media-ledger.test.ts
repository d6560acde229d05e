import type { CallEvent, MediaStats } from '@callfleet/bus';
import type { CallId } from '@callfleet/identity';
import { describe, expect, test } from 'vitest';
import { MediaLedger } from './media-ledger.ts';

const [FIRST, SECOND] = ['pbx-a.1~media1', 'pbx-a.1~media101001'];
const STATS: MediaStats = {
  provider: 'echo',
  transport: 'rtp',
  talkMs: 1000,
  heard: { packets: 50, ms: 1000, peakDbfs: -9, speechMs: 500, lost: 0 },
  spoke: { packets: 50, ms: 1000 },
  usage: {},
};

let seq = 0;
function event(type: string, at: string, data: Record<string, unknown>): CallEvent {
  seq += 1;
  return { id: String(seq), call: 'pbx-a.1' as CallId, source: 'relay', seq, at, type, data };
}
const started = (session: string, relay: string, at: string) =>
  event('media.started', at, { session, relay, provider: 'echo' });
const ended = (session: string, relay: string) =>
  event('media.ended', '10:01', { session, relay, reason: 'provider-ended', stats: STATS });

describe('the media sessions of a call', () => {
  test('one whose relay died is told of, with what is known: where it was, when it began, when it was missed', () => {
    const ledger = new MediaLedger();
    ledger.hear(started(FIRST, 'relay-1', '10:00'));
    ledger.lost(FIRST, '10:02');
    ledger.hear(started(SECOND, 'relay-2', '10:03'));
    ledger.measured(SECOND, 'relay-2', 'closed', STATS);
    expect(ledger.unmeasured).toEqual([{ provider: 'echo', relay: 'relay-1', startedAt: '10:00', lostAt: '10:02' }]);
    expect(ledger.media).toEqual([{ ...STATS, relay: 'relay-2', reason: 'closed' }]);
  });

  test('one whose relay died under an earlier worker is told of too, without when that was', () => {
    const ledger = new MediaLedger();
    ledger.hear(started(FIRST, 'relay-1', '10:00'));
    expect(ledger.unmeasured).toEqual([{ provider: 'echo', relay: 'relay-1', startedAt: '10:00' }]);
  });

  test('one that ended by itself is measured once, with its own reason', () => {
    const ledger = new MediaLedger();
    ledger.hear(started(FIRST, 'relay-1', '10:00'));
    ledger.hear(ended(FIRST, 'relay-1'));
    ledger.measured(FIRST, 'relay-1', 'closed', STATS);
    expect(ledger.media).toEqual([{ ...STATS, relay: 'relay-1', reason: 'provider-ended' }]);
    expect(ledger.unmeasured).toEqual([]);
  });

  test('one that was taken for dead and tells after all is measured', () => {
    const ledger = new MediaLedger();
    ledger.hear(started(FIRST, 'relay-1', '10:00'));
    ledger.lost(FIRST, '10:02');
    ledger.hear(ended(FIRST, 'relay-1'));
    expect(ledger.unmeasured).toEqual([]);
  });

  test('one in which no audio ever flowed is not missed', () => {
    const ledger = new MediaLedger();
    ledger.lost(FIRST, '10:02');
    expect([ledger.media, ledger.unmeasured]).toEqual([[], []]);
  });
});
