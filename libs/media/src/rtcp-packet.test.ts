import fc from 'fast-check';
import {
  CompoundPacket,
  ReceptionReport as OracleReport,
  ReceiverReportPacket,
  type SdesPacket,
  type SenderReportPacket,
} from 'rtp.js/packets';
import { describe, expect, test } from 'vitest';
import { buildSenderReport, parseRtcp, type ReceptionReport, type SenderReport } from './rtcp-packet.ts';

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const receptions: fc.Arbitrary<ReceptionReport> = fc.record({
  ssrc: uint32,
  fractionLost: fc.integer({ min: 0, max: 255 }),
  // rtp.js writes numbers below 0 as sign and magnitude, which the RFC does not say.
  lost: fc.integer({ min: 0, max: 0x7f_ffff }),
  highestSeq: uint32,
  jitter: uint32,
  lastReport: uint32,
  sinceLastReport: uint32,
});
const senderReports: fc.Arbitrary<SenderReport> = fc.record({
  ssrc: uint32,
  atMs: fc.integer({ min: 0, max: 4_000_000_000 }),
  rtpTimestamp: uint32,
  packets: uint32,
  bytes: uint32,
  reception: fc.option(receptions, { nil: undefined }),
});

describe('RTCP', () => {
  test('is written as rtp.js reads it', () => {
    fc.assert(
      fc.property(senderReports, fc.stringMatching(/^[a-z0-9]{1,40}$/), (report, cname) => {
        const packet = buildSenderReport(report, cname);
        const [sender, description] = new CompoundPacket(new DataView(packet.buffer)).getPackets() as [
          SenderReportPacket,
          SdesPacket,
        ];
        expect(sender.dump()).toMatchObject({
          ssrc: report.ssrc,
          ntpSeq: Math.floor(report.atMs / 1000),
          rtpTimestamp: report.rtpTimestamp,
          packetCount: report.packets,
          octetCount: report.bytes,
        });
        expect(sender.dump().ntpFraction / 2 ** 32).toBeCloseTo((report.atMs % 1000) / 1000, 6);
        expect(sender.getReports().map((each) => each.dump())).toMatchObject(
          report.reception
            ? [
                {
                  ssrc: report.reception.ssrc,
                  fractionLost: report.reception.fractionLost,
                  // Of the 24 bits it reads 12.
                  totalLost: report.reception.lost & 0xfff,
                  highestSeq: report.reception.highestSeq,
                  jitter: report.reception.jitter,
                  lsr: report.reception.lastReport,
                  dlsr: report.reception.sinceLastReport,
                },
              ]
            : [],
        );
        expect(JSON.stringify(description.dump())).toContain(cname);
      }),
    );
  });

  test('is read as rtp.js writes it', () => {
    fc.assert(
      fc.property(uint32, fc.array(receptions, { maxLength: 4 }), (ssrc, reports) => {
        const packet = new ReceiverReportPacket();
        packet.setSsrc(ssrc);
        for (const report of reports) {
          const each = new OracleReport();
          each.setSsrc(report.ssrc);
          each.setFractionLost(report.fractionLost);
          each.setTotalLost(report.lost);
          each.setHighestSeqNumber(report.highestSeq);
          each.setJitter(report.jitter);
          each.setLastSRTimestamp(report.lastReport);
          each.setDelaySinceLastSR(report.sinceLastReport);
          packet.addReport(each);
        }
        packet.serialize();
        const { buffer, byteOffset, byteLength } = packet.getView();
        expect(parseRtcp(new Uint8Array(buffer, byteOffset, byteLength))).toEqual({ senders: [], receptions: reports });
      }),
    );
  });

  test('gives the time of a report as it is to be named back: its middle 32 bits', () => {
    const packet = buildSenderReport(
      { ssrc: 7, atMs: 70_000_500, rtpTimestamp: 1, packets: 1, bytes: 1, reception: undefined },
      'x',
    );
    expect(parseRtcp(packet)?.senders).toEqual([{ ssrc: 7, time: (70_000 % 65_536) * 65_536 + 32_768 }]);
  });

  test("has what came twice as a loss below 0, in two's complement of 24 bits", () => {
    const reception = {
      ssrc: 1,
      fractionLost: 9,
      lost: -2,
      highestSeq: 0,
      jitter: 0,
      lastReport: 0,
      sinceLastReport: 0,
    };
    const packet = buildSenderReport({ ssrc: 7, atMs: 0, rtpTimestamp: 0, packets: 0, bytes: 0, reception }, 'x');
    expect([...packet.subarray(32, 36)]).toEqual([9, 0xff, 0xff, 0xfe]);
    expect(parseRtcp(packet)?.receptions).toEqual([reception]);
  });

  test('that is cut short, or none, is refused without an exception', () => {
    fc.assert(
      fc.property(senderReports, fc.nat(), (report, cut) => {
        const packet = buildSenderReport(report, 'name');
        const whole = 28 + (report.reception ? 24 : 0);
        const length = cut % packet.length;
        // Between its packets a compound may end.
        if (length !== whole) expect(parseRtcp(packet.subarray(0, length))).toBeUndefined();
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void parseRtcp(bytes)));
  });
});
