import { describe, expect, test } from 'vitest';
import { parseRtcp } from './rtcp-packet.ts';
import { RtcpSession } from './rtcp-session.ts';

const sent = { packets: 10, bytes: 1600, timestamp: 1600 };
const received = (more: { packets: number; lost: number }) => ({ ssrc: 2, highestSeq: 70_000, jitter: 12, ...more });

describe('an RTCP session', () => {
  test('measures the round trip, without the time that the other end took', () => {
    // Their clocks have nothing in common, and one goes round meanwhile.
    const ours = new RtcpSession({ ssrc: 1, cname: 'a' });
    const theirs = new RtcpSession({ ssrc: 2, cname: 'b' });
    const goesRound = 65_536_000 - 100;
    theirs.receive(ours.report(goesRound, sent, undefined), 500);
    const back = theirs.report(500 + 3000, sent, { ...received({ packets: 10, lost: 0 }), ssrc: 1 });
    expect(ours.roundTripMs).toBeUndefined();
    ours.receive(back, goesRound + 3000 + 48);
    expect(ours.roundTripMs).toBeCloseTo(48, 0);
  });

  test('measures none by a report on somebody else, or on nothing of ours', () => {
    const ours = new RtcpSession({ ssrc: 1, cname: 'a' });
    const theirs = new RtcpSession({ ssrc: 2, cname: 'b' });
    ours.receive(theirs.report(100, sent, { ...received({ packets: 10, lost: 0 }), ssrc: 1 }), 100);
    ours.receive(theirs.report(100, sent, { ...received({ packets: 10, lost: 0 }), ssrc: 3 }), 100);
    expect(ours.roundTripMs).toBeUndefined();
  });

  test('reports what was lost since the last report, and in all', () => {
    const ours = new RtcpSession({ ssrc: 1, cname: 'a' });
    const report = (packets: number, lost: number) =>
      parseRtcp(ours.report(0, sent, received({ packets, lost })))?.receptions[0];
    expect(report(75, 25)).toMatchObject({ ssrc: 2, fractionLost: 64, lost: 25, highestSeq: 70_000, jitter: 12 });
    expect(report(175, 25)).toMatchObject({ fractionLost: 0, lost: 25 });
    expect(report(175, 25)).toMatchObject({ fractionLost: 0 });
    expect(report(175, 35)).toMatchObject({ fractionLost: 255, lost: 35 });
  });

  test('says what is no RTCP', () => {
    expect(new RtcpSession({ ssrc: 1, cname: 'a' }).receive(new Uint8Array(20), 0)).toBe(false);
  });
});
