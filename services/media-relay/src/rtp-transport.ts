import { randomBytes, randomInt } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP, isIPv6 } from 'node:net';
import type { ExternalMedia } from '@callfleet/bus';
import {
  type AudioFormat,
  type FormatName,
  FRAME_MS,
  formatNamed,
  JitterBuffer,
  KeyReceiver,
  LossConcealment,
  type PlayoutBuffer,
  RTP_HEADER_BYTES,
  RtcpSession,
  type RtpPacket,
  RtpReceiver,
  RtpSender,
  type TimeSource,
} from '@callfleet/media';
import { RelayError } from './errors.ts';
import type { PortPool } from './port-pool.ts';
import type { MediaTransport, TransportListener, TransportStats } from './transport.ts';

export interface RtpTransportOptions {
  format: FormatName;
  bindAddress: string;
  /** The address that the PBX sends to. */
  advertisedAddress: string;
  ports: PortPool;
  time: TimeSource;
}

/** Payload types as Asterisk sends them (RFC 3551, and its own dynamic ones). */
const PAYLOAD_TYPES: Readonly<Record<FormatName, number>> = {
  ulaw: 0,
  alaw: 8,
  slin: 10,
  slin16: 118,
  slin24: 123,
  slin48: 126,
};

/** RFC 4733's keys, as Asterisk has them where nothing was negotiated. */
const TELEPHONE_EVENT_PAYLOAD_TYPE = 101;

/** Ports that somebody else on this machine has are passed over, so many at most. */
const MAX_BIND_ATTEMPTS = 20;

/** A report each 5 s (RFC 3550, section 6.2), the first when a second of audio is there. */
const FRAMES_BETWEEN_REPORTS = 250;
const FRAMES_BEFORE_FIRST_REPORT = 50;

/** A packet may still be in the kernel's hands when the next one is written. */
const PACKETS_IN_TURN = 4;

/** RTP over UDP with a port of its own. It hears only the address that `attach` gave it, and never learns another. */
export class RtpTransport implements MediaTransport {
  readonly kind = 'rtp';
  readonly format: AudioFormat;
  readonly unplayedMs = 0;
  readonly #options: RtpTransportOptions;
  readonly #listener: TransportListener;
  readonly #payloadType: number;
  readonly #sender: RtpSender;
  readonly #receiver = new RtpReceiver((packet, lost) => this.#onPacket(packet, lost));
  readonly #keys: KeyReceiver;
  readonly #jitterBuffer: JitterBuffer;
  readonly #concealment: LossConcealment;
  readonly #samplesPerFrame: number;
  /** Packets lost since the last one with audio. */
  #lost = 0;
  /** The timestamp that the next audio has if nothing is missing. */
  #nextTimestamp = 0;
  /** Each with its payload as a view. */
  readonly #packets: ReadonlyArray<{ packet: Buffer; payload: Buffer }>;
  #turn = 0;
  readonly #rtcp: RtcpSession;
  #framesSinceReport = FRAMES_BETWEEN_REPORTS - FRAMES_BEFORE_FIRST_REPORT;
  #socket: Socket | undefined;
  #rtcpSocket: Socket | undefined;
  #port: number | undefined;
  #peer: { address: string; port: number } | undefined;
  #sent = 0;
  #sentWithAudio = 0;
  #strangers = 0;
  #otherPayloads = 0;

  constructor(options: RtpTransportOptions, listener: TransportListener) {
    this.#options = options;
    this.#listener = listener;
    this.format = formatNamed(options.format);
    this.#payloadType = PAYLOAD_TYPES[options.format];
    this.#samplesPerFrame = this.format.frameBytes / this.format.bytesPerSample;
    this.#keys = new KeyReceiver((key) => listener.digit(key));
    this.#jitterBuffer = new JitterBuffer({
      sampleRate: this.format.sampleRate,
      time: options.time,
      deliver: (packet, lost) => this.#onAudio(packet, lost),
    });
    this.#concealment = new LossConcealment(this.format);
    this.#sender = new RtpSender({
      payloadType: this.#payloadType,
      samplesPerFrame: this.#samplesPerFrame,
      ssrc: randomInt(2 ** 32),
      seq: randomInt(2 ** 16),
      timestamp: randomInt(2 ** 32),
    });
    this.#rtcp = new RtcpSession({ ssrc: this.#sender.ssrc, cname: randomBytes(12).toString('hex') });
    this.#packets = Array.from({ length: PACKETS_IN_TURN }, () => {
      const packet = Buffer.alloc(RTP_HEADER_BYTES + this.format.frameBytes);
      return { packet, payload: packet.subarray(RTP_HEADER_BYTES) };
    });
  }

  get stats(): TransportStats {
    return {
      sent: this.#sent,
      sentWithAudio: this.#sentWithAudio,
      lost: this.#receiver.lost,
      strangers: this.#strangers,
      malformed: this.#receiver.malformed + this.#otherPayloads,
      network: {
        late: this.#receiver.late,
        concealedMs: this.#concealment.concealedMs,
        jitterMs: tenths(this.#jitterBuffer.jitter.maxMs),
        ...(this.#rtcp.roundTripMs !== undefined && { roundTripMs: tenths(this.#rtcp.roundTripMs) }),
      },
    };
  }

  async open(): Promise<ExternalMedia> {
    for (let attempt = 1; !this.#socket; attempt += 1) {
      const port = this.#options.ports.take();
      try {
        [this.#socket, this.#rtcpSocket] = await boundPair(this.#options.bindAddress, port);
        this.#port = port;
      } catch (error) {
        this.#options.ports.giveBack(port);
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === MAX_BIND_ATTEMPTS) throw error;
      }
    }
    this.#socket.on('message', (datagram, from) => this.#onDatagram(datagram, from));
    this.#rtcpSocket?.on('message', (datagram, from) => this.#onReport(datagram, from));
    // A packet that can't be sent now (no route, full buffer) is a lost packet; a peer that stays away ends the session.
    this.#socket.on('error', () => {});
    this.#rtcpSocket?.on('error', () => {});
    const { advertisedAddress } = this.#options;
    const host = isIPv6(advertisedAddress) ? `[${advertisedAddress}]` : advertisedAddress;
    return {
      external_host: `${host}:${this.#port}`,
      encapsulation: 'rtp',
      transport: 'udp',
      connection_type: 'client',
      format: this.format.name,
    };
  }

  async attach(channelVariables: Readonly<Record<string, string>>): Promise<void> {
    const address = channelVariables.UNICASTRTP_LOCAL_ADDRESS ?? '';
    const port = Number(channelVariables.UNICASTRTP_LOCAL_PORT);
    if (isIP(address) === 0 || !Number.isInteger(port) || port < 1 || port > 65_535)
      throw new RelayError(
        'CF_RELAY_BAD_PEER',
        `an RTP leg needs UNICASTRTP_LOCAL_ADDRESS and UNICASTRTP_LOCAL_PORT, got "${address}" and "${channelVariables.UNICASTRTP_LOCAL_PORT ?? ''}"`,
      );
    if (isIP(address) !== isIP(this.#options.bindAddress))
      throw new RelayError(
        'CF_RELAY_BAD_PEER',
        `the PBX is at ${address}, which can't be reached from relay.rtp.bindAddress ${this.#options.bindAddress}: one is IPv4, the other IPv6`,
      );
    this.#peer = { address, port };
  }

  pace(playout: PlayoutBuffer, skipped: number): void {
    const peer = this.#peer;
    if (!this.#socket || !peer) return;
    this.#sender.skip(skipped);
    this.#turn = (this.#turn + 1) % PACKETS_IN_TURN;
    const { packet, payload } = this.#packets[this.#turn] as { packet: Buffer; payload: Buffer };
    this.#sender.writeHeader(packet);
    if (playout.takeInto(payload)) this.#sentWithAudio += 1;
    if (this.format.encoding === 'slin') payload.swap16();
    this.#socket.send(packet, peer.port, peer.address);
    this.#sent += 1;
    this.#framesSinceReport += 1;
    if (this.#framesSinceReport >= FRAMES_BETWEEN_REPORTS) this.#report(peer);
  }

  flush(): number {
    return 0;
  }

  async close(): Promise<void> {
    const [socket, rtcpSocket, port] = [this.#socket, this.#rtcpSocket, this.#port];
    if (!socket || !rtcpSocket || port === undefined) return;
    this.#socket = undefined;
    this.#rtcpSocket = undefined;
    this.#port = undefined;
    this.#jitterBuffer.close();
    await Promise.all([closed(socket), closed(rtcpSocket)]);
    this.#options.ports.giveBack(port);
  }

  #onDatagram(datagram: Buffer, from: RemoteInfo): void {
    this.#options.time.doDue?.();
    if (from.port === this.#peer?.port && from.address === this.#peer.address) this.#receiver.receive(datagram);
    else this.#strangers += 1;
  }

  #onReport(datagram: Buffer, from: RemoteInfo): void {
    if (from.port !== (this.#peer?.port ?? 0) + 1 || from.address !== this.#peer?.address) this.#strangers += 1;
    else if (!this.#rtcp.receive(datagram, this.#options.time.now())) this.#otherPayloads += 1;
  }

  #report(peer: { address: string; port: number }): void {
    this.#framesSinceReport = 0;
    const { ssrc, highestSeq, received, late, lost } = this.#receiver;
    const heard = ssrc === undefined ? undefined : { ssrc, highestSeq, packets: received + late, lost: lost - late };
    const jitter = Math.round((this.#jitterBuffer.jitter.ms * this.format.sampleRate) / 1000);
    const report = this.#rtcp.report(
      this.#options.time.now(),
      { packets: this.#sent, bytes: this.#sent * this.format.frameBytes, timestamp: this.#sender.timestamp },
      heard && { ...heard, jitter },
    );
    this.#rtcpSocket?.send(report, peer.port + 1, peer.address);
  }

  #onPacket(packet: RtpPacket, lost: number): void {
    this.#lost += lost;
    if (packet.payloadType === this.#payloadType) {
      this.#jitterBuffer.put(packet, this.#lost);
      this.#lost = 0;
      // What is waited for a packet anyhow, it may be overtaken.
      this.#receiver.window = this.#jitterBuffer.delayMs / FRAME_MS;
    } else if (packet.payloadType !== TELEPHONE_EVENT_PAYLOAD_TYPE || !this.#keys.receive(packet)) {
      // Comfort noise: it is no audio in the leg's format.
      this.#otherPayloads += 1;
    }
  }

  #onAudio({ timestamp, payload }: RtpPacket, lost: number): void {
    if (lost > 0) {
      // Lost packets with keys leave no gap in time.
      const frames = Math.round(((timestamp - this.#nextTimestamp) | 0) / this.#samplesPerFrame);
      for (const frame of this.#concealment.conceal(Math.max(0, Math.min(frames, lost)))) this.#listener.heard(frame);
    }
    this.#nextTimestamp = (timestamp + payload.length / this.format.bytesPerSample) >>> 0;
    if (this.format.encoding === 'slin') Buffer.from(payload.buffer, payload.byteOffset, payload.length & ~1).swap16();
    this.#concealment.heard(payload);
    this.#listener.heard(payload);
  }
}

/** For RTP and, at the odd port above, RTCP. */
async function boundPair(address: string, port: number): Promise<[Socket, Socket]> {
  const rtp = await boundSocket(address, port);
  try {
    return [rtp, await boundSocket(address, port + 1)];
  } catch (error) {
    await closed(rtp);
    throw error;
  }
}

async function closed(socket: Socket): Promise<void> {
  socket.removeAllListeners('message');
  const closing = new Promise((resolve) => socket.once('close', resolve));
  socket.close();
  await closing;
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

async function boundSocket(address: string, port: number): Promise<Socket> {
  const family = isIPv6(address) ? 6 : 4;
  const socket = createSocket({
    type: `udp${family}`,
    // Peers are addresses already, and of our own family. Node's look-up would put each packet off to the next turn of the event
    // loop; this one is called for each packet too.
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  try {
    // Without a look-up it listens, or fails, before `bind` returns.
    const listening = once(socket, 'listening');
    socket.bind(port, address);
    await listening;
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}
