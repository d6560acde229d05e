/** How one source's stream arrives at who reports it (RFC 3550, section 6.4.1). */
export interface ReceptionReport {
  /** Whose stream. */
  ssrc: number;
  /** Lost since the last report, 0..255 of 256. */
  fractionLost: number;
  /** Lost since the beginning; less than 0 where packets came twice. 24 bits. */
  lost: number;
  /** The highest sequence number, in 32 bits with those that went round. */
  highestSeq: number;
  /** In units of the RTP clock. */
  jitter: number;
  /** The middle 32 bits of the time in the last sender report that was heard of that source; 0: none. */
  lastReport: number;
  /** Since then, in 1/65536 of a second. */
  sinceLastReport: number;
}

export interface SenderReport {
  ssrc: number;
  /** Any clock that goes on evenly, milliseconds. */
  atMs: number;
  /** What the RTP clock shows at that time. */
  rtpTimestamp: number;
  packets: number;
  /** Payload alone. */
  bytes: number;
  /** None: nothing was heard yet. */
  reception: ReceptionReport | undefined;
}

/** What of a compound packet matters here. */
export interface RtcpReports {
  /** Middle 32 bits of the time of each sender's report. */
  senders: Array<{ ssrc: number; time: number }>;
  receptions: ReceptionReport[];
}

const VERSION = 2;
const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const CNAME = 1;

const HEADER_BYTES = 4;
const SENDER_BYTES = 28;
const RECEPTION_BYTES = 24;

/** A time as reports name it back: seconds in 1/65536, 32 bits, so it goes round after 18 hours. */
export function shortTime(ms: number): number {
  return Math.floor((ms * 65_536) / 1000) % 2 ** 32;
}

/**
 * A sender's report and its source description, which every compound packet must have.
 *
 * @param cname tells streams of one sender together: at most 255 ASCII characters, nothing that says who it is (RFC 7022)
 */
export function buildSenderReport(report: SenderReport, cname: string): Uint8Array {
  const receptions = report.reception ? 1 : 0;
  const reportBytes = SENDER_BYTES + receptions * RECEPTION_BYTES;
  // Header, source, type and length, text, and at least one zero at the end.
  const descriptionBytes = Math.ceil((HEADER_BYTES + 4 + 2 + cname.length + 1) / 4) * 4;
  const packet = new Uint8Array(reportBytes + descriptionBytes);
  const view = new DataView(packet.buffer);

  writeHeader(view, 0, SENDER_REPORT, receptions, reportBytes);
  view.setUint32(4, report.ssrc);
  view.setUint32(8, Math.floor(report.atMs / 1000));
  view.setUint32(12, Math.floor((report.atMs % 1000) * (2 ** 32 / 1000)));
  view.setUint32(16, report.rtpTimestamp);
  view.setUint32(20, report.packets);
  view.setUint32(24, report.bytes);
  if (report.reception) writeReception(view, SENDER_BYTES, report.reception);

  writeHeader(view, reportBytes, SOURCE_DESCRIPTION, 1, descriptionBytes);
  view.setUint32(reportBytes + 4, report.ssrc);
  view.setUint8(reportBytes + 8, CNAME);
  view.setUint8(reportBytes + 9, cname.length);
  for (let i = 0; i < cname.length; i += 1) view.setUint8(reportBytes + 10 + i, cname.charCodeAt(i));
  return packet;
}

/** Reads a compound packet, passing over what is no report; undefined where it is none: another version, or lengths that do not fit. */
export function parseRtcp(packet: Uint8Array): RtcpReports | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const reports: RtcpReports = { senders: [], receptions: [] };
  if (packet.length < 8) return undefined;
  for (let at = 0; at < packet.length; ) {
    if (at + HEADER_BYTES > packet.length) return undefined;
    const first = view.getUint8(at);
    const type = view.getUint8(at + 1);
    const end = at + (view.getUint16(at + 2) + 1) * 4;
    if (first >> 6 !== VERSION || end > packet.length) return undefined;
    const bytes = { [SENDER_REPORT]: SENDER_BYTES, [RECEIVER_REPORT]: 8 }[type];
    if (bytes !== undefined) {
      const count = first & 0x1f;
      if (at + bytes + count * RECEPTION_BYTES > end) return undefined;
      if (type === SENDER_REPORT) reports.senders.push({ ssrc: view.getUint32(at + 4), time: view.getUint32(at + 10) });
      for (let i = 0; i < count; i += 1) reports.receptions.push(readReception(view, at + bytes + i * RECEPTION_BYTES));
    }
    at = end;
  }
  return reports;
}

function writeHeader(view: DataView, at: number, type: number, count: number, bytes: number): void {
  view.setUint8(at, (VERSION << 6) | count);
  view.setUint8(at + 1, type);
  view.setUint16(at + 2, bytes / 4 - 1);
}

function writeReception(view: DataView, at: number, report: ReceptionReport): void {
  view.setUint32(at, report.ssrc);
  view.setInt32(at + 4, Math.max(-0x80_0000, Math.min(0x7f_ffff, report.lost)) & 0xff_ffff);
  view.setUint8(at + 4, report.fractionLost);
  view.setUint32(at + 8, report.highestSeq);
  view.setUint32(at + 12, report.jitter);
  view.setUint32(at + 16, report.lastReport);
  view.setUint32(at + 20, report.sinceLastReport);
}

function readReception(view: DataView, at: number): ReceptionReport {
  return {
    ssrc: view.getUint32(at),
    fractionLost: view.getUint8(at + 4),
    lost: (view.getInt32(at + 4) << 8) >> 8,
    highestSeq: view.getUint32(at + 8),
    jitter: view.getUint32(at + 12),
    lastReport: view.getUint32(at + 16),
    sinceLastReport: view.getUint32(at + 20),
  };
}
