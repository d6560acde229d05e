import { buildSenderReport, parseRtcp, shortTime } from './rtcp-packet.ts';

/** What was sent so far. */
export interface SentStream {
  packets: number;
  /** Payload alone. */
  bytes: number;
  /** Of the next packet. */
  timestamp: number;
}

/** What was received so far. */
export interface ReceivedStream {
  ssrc: number;
  /** The highest sequence number, in 32 bits with those that went round. */
  highestSeq: number;
  /** Packets that came, late ones included. */
  packets: number;
  /** Packets that never came. */
  lost: number;
  /** In units of the RTP clock. */
  jitter: number;
}

/** Keeps one stream's RTCP: makes its reports, and measures the round trip from those of the other end. */
export class RtcpSession {
  readonly #ssrc: number;
  readonly #cname: string;
  #heardReport: { ssrc: number; time: number; at: number } | undefined;
  #reported = { packets: 0, lost: 0 };
  #roundTripMs: number | undefined;

  constructor(options: { ssrc: number; cname: string }) {
    this.#ssrc = options.ssrc;
    this.#cname = options.cname;
  }

  /** By the other end's latest report; undefined: it has sent none, or had heard none of ours. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /**
   * @param now monotonic milliseconds, as for {@link receive}
   * @returns a compound packet to send
   */
  report(now: number, sent: SentStream, received: ReceivedStream | undefined): Uint8Array {
    const { packets, bytes, timestamp } = sent;
    const reception = received && this.#receptionOf(now, received);
    return buildSenderReport(
      { ssrc: this.#ssrc, atMs: now, rtpTimestamp: timestamp, packets, bytes, reception },
      this.#cname,
    );
  }

  /** @returns false: it is no RTCP */
  receive(packet: Uint8Array, now: number): boolean {
    const reports = parseRtcp(packet);
    if (!reports) return false;
    for (const { ssrc, time } of reports.senders) this.#heardReport = { ssrc, time, at: now };
    for (const { ssrc, lastReport, sinceLastReport } of reports.receptions) {
      if (ssrc !== this.#ssrc || lastReport === 0) continue;
      // Both clocks go round; a negative trip is one of a clock that is not as exact as that.
      const trip = (shortTime(now) - lastReport - sinceLastReport) | 0;
      this.#roundTripMs = (Math.max(0, trip) * 1000) / 65_536;
    }
    return true;
  }

  #receptionOf(now: number, { ssrc, highestSeq, packets, lost, jitter }: ReceivedStream) {
    const lostSince = Math.max(0, lost - this.#reported.lost);
    const expectedSince = Math.max(1, packets - this.#reported.packets + lostSince);
    this.#reported = { packets, lost };
    const heard = this.#heardReport?.ssrc === ssrc ? this.#heardReport : undefined;
    return {
      ssrc,
      fractionLost: Math.min(255, Math.floor((256 * lostSince) / expectedSince)),
      lost,
      highestSeq,
      jitter,
      lastReport: heard?.time ?? 0,
      sinceLastReport: heard ? shortTime(now - heard.at) : 0,
    };
  }
}
