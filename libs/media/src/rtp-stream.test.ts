import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildRtp, parseRtp, RTP_HEADER_BYTES } from './rtp-packet.ts';
import { RtpReceiver, RtpSender } from './rtp-stream.ts';

describe('an outgoing stream', () => {
  const sender = () =>
    new RtpSender({ payloadType: 8, samplesPerFrame: 160, ssrc: 7, seq: 65_534, timestamp: 2 ** 32 - 200 });
  const next = (from: RtpSender) => {
    const packet = new Uint8Array(RTP_HEADER_BYTES);
    from.writeHeader(packet);
    return parseRtp(packet);
  };

  test('counts packets and samples over the end of their numbers', () => {
    const from = sender();
    expect([next(from), next(from), next(from)]).toMatchObject([
      { seq: 65_534, timestamp: 2 ** 32 - 200, marker: true, payloadType: 8, ssrc: 7 },
      { seq: 65_535, timestamp: 2 ** 32 - 40, marker: false },
      { seq: 0, timestamp: 120, marker: false },
    ]);
  });

  test('lets time go on where it sent nothing', () => {
    const from = sender();
    next(from);
    from.skip(0);
    expect(next(from)).toMatchObject({ seq: 65_535, timestamp: 2 ** 32 - 40, marker: false });
    from.skip(3);
    expect(next(from)).toMatchObject({ seq: 0, timestamp: 600, marker: true });
  });
});

describe('an incoming stream', () => {
  /** Receives packets with these numbers; gives the ones that were passed on, and the counts. */
  function receive(packets: Array<number | { seq: number; ssrc: number }>, window = 2) {
    const passedOn: number[] = [];
    const gaps: number[] = [];
    const receiver = new RtpReceiver((packet, lost) => {
      passedOn.push(packet.seq);
      gaps.push(lost);
    });
    receiver.window = window;
    for (const packet of packets) {
      const { seq, ssrc } = typeof packet === 'number' ? { seq: packet, ssrc: 1 } : packet;
      receiver.receive(
        buildRtp({ payloadType: 0, marker: false, seq: seq & 0xffff, timestamp: 0, ssrc }, new Uint8Array(4)),
      );
    }
    const { received, lost, late, reordered, duplicates, restarts, malformed } = receiver;
    return { passedOn, gaps, counts: { received, lost, late, reordered, duplicates, restarts, malformed } };
  }
  const clean = { lost: 0, late: 0, reordered: 0, duplicates: 0, restarts: 0, malformed: 0 };

  test('in order passes at once, over the end of the numbers', () => {
    expect(receive([65_534, 65_535, 65_536, 65_537])).toEqual({
      passedOn: [65_534, 65_535, 0, 1],
      gaps: [0, 0, 0, 0],
      counts: { ...clean, received: 4 },
    });
  });

  test('is put in order when a packet was overtaken', () => {
    expect(receive([1, 3, 2, 4])).toMatchObject({
      passedOn: [1, 2, 3, 4],
      counts: { ...clean, received: 4, reordered: 1 },
    });
  });

  test('waits for a lost packet no longer than the window', () => {
    expect(receive([1, 3]).passedOn).toEqual([1]);
    expect(receive([1, 3, 4])).toEqual({
      passedOn: [1, 3, 4],
      gaps: [0, 1, 0],
      counts: { ...clean, received: 3, lost: 1 },
    });
    expect(receive([1, 4]).passedOn).toEqual([1]);
    expect(receive([1, 4, 5])).toMatchObject({ passedOn: [1, 4, 5], counts: { lost: 2 } });
  });

  test('waits longer with a wider window, and never for more than 8', () => {
    expect(receive([1, 3, 4, 5, 2, 6], 4)).toMatchObject({
      passedOn: [1, 2, 3, 4, 5, 6],
      counts: { lost: 0, reordered: 1 },
    });
    expect(receive([1, 3, 4, 5, 6, 2], 4)).toMatchObject({ passedOn: [1, 3, 4, 5, 6], counts: { lost: 1, late: 1 } });
    expect(receive([1, 3, 4, 5, 6, 7, 8, 9, 10, 2], 99)).toMatchObject({ counts: { lost: 1, late: 1, received: 9 } });
  });

  test('counts a long loss and goes on', () => {
    expect(receive([1, 2, 103, 104])).toEqual({
      passedOn: [1, 2, 103, 104],
      gaps: [0, 0, 100, 0],
      counts: { ...clean, received: 4, lost: 100 },
    });
  });

  test('drops what came twice or too late', () => {
    expect(receive([1, 2, 2, 1, 4, 4, 5, 3, 3])).toEqual({
      passedOn: [1, 2, 4, 5],
      gaps: [0, 0, 1, 0],
      counts: { ...clean, received: 4, lost: 1, late: 1, duplicates: 4 },
    });
  });

  test('begins anew with another source, and after a jump that no loss explains', () => {
    expect(
      receive([1, 2, 4, { seq: 9000, ssrc: 2 }, { seq: 9001, ssrc: 2 }, { seq: 20, ssrc: 2 }, { seq: 21, ssrc: 2 }]),
    ).toMatchObject({
      passedOn: [1, 2, 4, 9000, 9001, 20, 21],
      counts: { ...clean, received: 7, lost: 1, restarts: 2 },
    });
  });

  test('has its highest number with the rounds that it went', () => {
    const receiver = new RtpReceiver(() => {});
    const send = (seq: number, ssrc = 1) =>
      receiver.receive(buildRtp({ payloadType: 0, marker: false, seq, timestamp: 0, ssrc }, new Uint8Array(4)));
    send(65_535);
    expect([receiver.highestSeq, receiver.ssrc]).toEqual([65_535, 1]);
    send(0);
    send(1);
    expect(receiver.highestSeq).toBe(65_537);
    send(9, 2);
    expect([receiver.highestSeq, receiver.ssrc]).toEqual([9, 2]);
  });

  test('counts what is no RTP', () => {
    const receiver = new RtpReceiver(() => expect.unreachable());
    receiver.receive(new Uint8Array(3));
    expect(receiver.malformed).toBe(1);
  });

  test('never passes on out of order, never twice, and accounts for every number', () => {
    const streams = fc
      .array(fc.record({ drop: fc.boolean(), twice: fc.boolean(), shift: fc.nat({ max: 4 }) }), {
        minLength: 1,
        maxLength: 60,
      })
      .map((fates) =>
        fates
          .flatMap((fate, i) => {
            // The first one says where the stream begins.
            if (i === 0) return [{ seq: 65_500, at: 0 }];
            if (fate.drop) return [];
            const copy = { seq: 65_500 + i, at: i + fate.shift };
            return fate.twice ? [copy, { ...copy, at: copy.at + 1 }] : [copy];
          })
          .sort((a, b) => a.at - b.at)
          .map(({ seq }) => seq),
      );
    fc.assert(
      fc.property(streams, (seqs) => {
        const { passedOn, counts } = receive(seqs);
        const unrolled = passedOn.map((seq) => (seq < 65_500 ? seq + 65_536 : seq));
        expect(unrolled).toEqual([...new Set(unrolled)].sort((a, b) => a - b));
        expect(counts.received).toBe(passedOn.length);
        // Every number up to the last one given on was either given on or counted as lost; two more may be waiting.
        const upToLast = (unrolled.at(-1) as number) - 65_500 + 1;
        expect(counts.received + counts.lost).toBeGreaterThanOrEqual(upToLast);
        const dropped = seqs.length - counts.received;
        const waiting = dropped - counts.duplicates - counts.late;
        expect(waiting).toBeGreaterThanOrEqual(0);
        expect(waiting).toBeLessThanOrEqual(2);
      }),
    );
  });
});
