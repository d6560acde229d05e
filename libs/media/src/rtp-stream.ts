import { parseRtp, type RtpPacket, writeRtpHeader } from './rtp-packet.ts';

/** Numbers the packets of one outgoing stream. Time goes on through silence, whether it is sent or not. */
export class RtpSender {
  readonly #payloadType: number;
  readonly #samplesPerFrame: number;
  readonly #ssrc: number;
  #seq: number;
  #timestamp: number;
  /** The first packet, and the first one after a pause, is marked: receivers then adapt to its timestamp. */
  #marker = true;

  /** `ssrc`, `seq` and `timestamp` are where it begins: random ones (RFC 3550, section 5.1). */
  constructor(options: {
    payloadType: number;
    samplesPerFrame: number;
    ssrc: number;
    seq: number;
    timestamp: number;
  }) {
    this.#payloadType = options.payloadType;
    this.#samplesPerFrame = options.samplesPerFrame;
    this.#ssrc = options.ssrc;
    this.#seq = options.seq & 0xffff;
    this.#timestamp = options.timestamp >>> 0;
  }

  /** Writes the header of the next frame's packet. */
  writeHeader(packet: Uint8Array): void {
    writeRtpHeader(packet, {
      payloadType: this.#payloadType,
      marker: this.#marker,
      seq: this.#seq,
      timestamp: this.#timestamp,
      ssrc: this.#ssrc,
    });
    this.#marker = false;
    this.#seq = (this.#seq + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + this.#samplesPerFrame) >>> 0;
  }

  get ssrc(): number {
    return this.#ssrc;
  }

  /** Of the next frame. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /** Time passed in which nothing was sent. */
  skip(frames: number): void {
    if (frames === 0) return;
    this.#timestamp = (this.#timestamp + frames * this.#samplesPerFrame) >>> 0;
    this.#marker = true;
  }
}

/** So many packets may overtake a missing one before it counts as lost: 40 ms of 20 ms frames. */
const REORDER_WINDOW = 2;

/** As many as the window may grow to. */
const MAX_REORDER_WINDOW = 8;

/** Numbers that were given up are remembered, so many of them, to tell a packet that comes too late from one that comes twice. */
const MAX_GIVEN_UP = 64;

/** A jump of the sequence number beyond this is a new beginning, not a loss (RFC 3550, appendix A.1: 3000 and 100). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

/**
 * Puts one incoming stream in order and counts what happened to it. Packets in order are given on at once; behind a missing one
 * as many as {@link window} says wait for it.
 */
export class RtpReceiver {
  readonly #deliver: (packet: RtpPacket, lost: number) => void;
  #ssrc: number | undefined;
  #expected = 0;
  /** How often the numbers went round. */
  #rounds = 0;
  /** Packets that came too early: by distance from `#expected`, none at 0. */
  readonly #early: Array<RtpPacket | undefined> = new Array(MAX_REORDER_WINDOW + 1).fill(undefined);
  #earlyCount = 0;
  #window = REORDER_WINDOW;
  readonly #givenUp = new Set<number>();
  /** Numbers given up since the last packet that was given on. */
  #lostBefore = 0;

  /** Packets given on. */
  received = 0;
  /** Numbers that never came in time. */
  lost = 0;
  /** Packets that were overtaken and still came in time. */
  reordered = 0;
  /** Packets that came after their number had been given up: counted as lost, and dropped. */
  late = 0;
  /** Packets that came again: dropped. */
  duplicates = 0;
  /** The sender began anew: another SSRC, or a jump that no loss explains. */
  restarts = 0;
  /** Datagrams that are no RTP: dropped. */
  malformed = 0;

  /** @param deliver told each packet, and how many before it never came in time */
  constructor(deliver: (packet: RtpPacket, lost: number) => void) {
    this.#deliver = deliver;
  }

  /** So many packets may overtake a missing one before it counts as lost: 2, or more where packets come unevenly; 8 at most. */
  get window(): number {
    return this.#window;
  }

  set window(packets: number) {
    this.#window = Math.max(REORDER_WINDOW, Math.min(MAX_REORDER_WINDOW, packets));
  }

  /** Of the stream that is received; undefined: none yet. */
  get ssrc(): number | undefined {
    return this.#ssrc;
  }

  /** The number of the last packet that was given on or given up, in 32 bits with those that went round. */
  get highestSeq(): number {
    return (this.#rounds * 65_536 + this.#expected - 1) >>> 0;
  }

  receive(datagram: Uint8Array): void {
    const packet = parseRtp(datagram);
    if (!packet) {
      this.malformed += 1;
      return;
    }
    if (packet.ssrc !== this.#ssrc) {
      if (this.#ssrc !== undefined) this.#restart();
      this.#ssrc = packet.ssrc;
      this.#expected = packet.seq;
    }
    let ahead = distance(this.#expected, packet.seq);
    if (ahead >= MAX_DROPOUT || ahead < -MAX_MISORDER) {
      this.#restart();
      this.#expected = packet.seq;
      ahead = 0;
    }
    if (ahead < 0 || this.#early[ahead]) {
      if (ahead < 0 && this.#givenUp.delete(packet.seq)) this.late += 1;
      else this.duplicates += 1;
      return;
    }
    if (ahead === 0) {
      if (this.#earlyCount > 0) this.reordered += 1;
      this.#advance();
      this.#give(packet);
    } else this.#hold(packet, ahead);
    this.#giveEarly();
  }

  /** Keeps a packet that is `ahead` of the expected one, giving up what it has left behind too far. */
  #hold(packet: RtpPacket, ahead: number): void {
    for (; ahead > this.#window; ahead -= 1) this.#next();
    this.#early[ahead] = packet;
    this.#earlyCount += 1;
    if (this.#earlyCount >= this.#window) this.#next();
  }

  #give(packet: RtpPacket): void {
    const lost = this.#lostBefore;
    this.#lostBefore = 0;
    this.received += 1;
    this.#deliver(packet, lost);
  }

  /** Gives on what waited only for what has just come. */
  #giveEarly(): void {
    while (this.#early[0]) this.#next();
  }

  /** Goes one number on: with its packet, if that came early, else without it. */
  #next(): void {
    const packet = this.#early[0];
    if (!packet) this.#giveUp(this.#expected);
    this.#advance();
    if (!packet) return;
    this.#earlyCount -= 1;
    this.#give(packet);
  }

  #giveUp(seq: number): void {
    this.lost += 1;
    this.#lostBefore += 1;
    this.#givenUp.delete(seq);
    this.#givenUp.add(seq);
    for (const oldest of this.#givenUp) {
      if (this.#givenUp.size <= MAX_GIVEN_UP) break;
      this.#givenUp.delete(oldest);
    }
  }

  #advance(): void {
    this.#expected = (this.#expected + 1) & 0xffff;
    if (this.#expected === 0) this.#rounds += 1;
    if (this.#earlyCount === 0) return;
    this.#early.shift();
    this.#early.push(undefined);
  }

  #restart(): void {
    while (this.#earlyCount > 0) this.#next();
    this.#givenUp.clear();
    this.#rounds = 0;
    this.restarts += 1;
  }
}

/** How far `to` is ahead of `from` on the circle of 16-bit numbers: -32768..32767. */
function distance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}
