import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  encodeTelephoneEvent,
  eventOfKey,
  type FormatName,
  parseRtp,
  RTP_HEADER_BYTES,
  writeRtpHeader,
} from '@callfleet/media';
import type { Channel } from './channel.ts';
import { LegCodec } from './leg-codec.ts';
import type { LegControl, MediaLeg } from './media-leg.ts';

/** As Asterisk has them where nothing was negotiated. */
const PAYLOAD_TYPES: Readonly<Record<FormatName, number>> = {
  ulaw: 0,
  alaw: 8,
  slin: 10,
  slin16: 118,
  slin24: 123,
  slin48: 126,
};
const TELEPHONE_EVENT = 101;
/** 100 ms, in the clock of telephone events. */
const KEY_DURATION = 800;
const VOLUME = 10;

/** UnicastRTP: audio goes to `external_host` by UDP, from a port of its own, as soon as somebody in the bridge speaks. */
export class RtpLeg implements MediaLeg {
  readonly name: string;
  readonly dialstring: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly #socket: Socket;
  readonly #codec: LegCodec;
  readonly #payloadType: number;
  readonly #samplesPerFrame: number;
  readonly #ssrc = randomInt(2 ** 32);
  #seq = randomInt(2 ** 16);
  #timestamp = randomInt(2 ** 32);
  /** The first packet of audio. */
  #isFirst = true;
  #isClosed = false;

  private constructor(socket: Socket, host: string, format: FormatName) {
    const { address, port } = socket.address();
    this.name = `UnicastRTP/${host}-0x${this.#ssrc.toString(16).padStart(12, '0')}`;
    this.dialstring = `${host}/c(${format})`;
    this.variables = { UNICASTRTP_LOCAL_PORT: String(port), UNICASTRTP_LOCAL_ADDRESS: address };
    this.#socket = socket;
    this.#codec = new LegCodec(format);
    this.#payloadType = PAYLOAD_TYPES[format];
    const { frameBytes, bytesPerSample } = this.#codec.format;
    this.#samplesPerFrame = frameBytes / bytesPerSample;
  }

  /** @throws what a bind or a connect throws: the address is none of ours, or none */
  static async open(bindAddress: string, host: string, format: FormatName): Promise<RtpLeg> {
    const at = host.lastIndexOf(':');
    const socket = createSocket('udp4');
    try {
      socket.bind(0, bindAddress);
      await once(socket, 'listening');
      // Only its peer is heard, and no packet needs a look-up.
      socket.connect(Number(host.slice(at + 1)), host.slice(0, at));
      await once(socket, 'connect');
    } catch (error) {
      socket.close();
      throw error;
    }
    return new RtpLeg(socket, host, format);
  }

  begin(channel: Channel, { up }: LegControl): void {
    // Nobody is there yet, or any more: its packets are lost.
    this.#socket.on('error', () => {});
    this.#socket.on('message', (datagram) => {
      const packet = parseRtp(datagram);
      if (packet?.payloadType !== this.#payloadType) return;
      if (this.#codec.format.encoding === 'slin') swap(packet.payload);
      this.#codec.decode(packet.payload, (frame) => channel.speak(frame));
    });
    up();
  }

  hear(frame: Uint8Array): void {
    if (this.#isClosed) return;
    const payload = this.#codec.encode(frame);
    this.#timestamp = (this.#timestamp + this.#samplesPerFrame) >>> 0;
    const packet = this.#packetOf(this.#payloadType, this.#isFirst, payload);
    this.#isFirst = false;
    if (this.#codec.format.encoding === 'slin') packet.subarray(RTP_HEADER_BYTES).swap16();
    this.#socket.send(packet);
  }

  /** One packet while it is pressed, and three that it was let go, as RFC 4733 asks for. */
  digit(digit: string): void {
    const event = eventOfKey(digit);
    if (this.#isClosed || event === undefined) return;
    // Two presses in one frame must differ.
    this.#timestamp = (this.#timestamp + 1) >>> 0;
    [false, true, true, true].forEach((end, n) => {
      const payload = encodeTelephoneEvent({ event, end, volume: VOLUME, duration: KEY_DURATION });
      this.#socket.send(this.#packetOf(TELEPHONE_EVENT, n === 0, payload));
    });
  }

  #packetOf(payloadType: number, marker: boolean, payload: Uint8Array): Buffer {
    // Of its own: the next one may be written before the kernel has this one.
    const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + payload.length);
    writeRtpHeader(packet, { payloadType, marker, seq: this.#seq, timestamp: this.#timestamp, ssrc: this.#ssrc });
    packet.set(payload, RTP_HEADER_BYTES);
    this.#seq = (this.#seq + 1) & 0xffff;
    return packet;
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}

/** RTP has linear samples in network order. */
function swap(payload: Uint8Array): void {
  Buffer.from(payload.buffer, payload.byteOffset, payload.length & ~1).swap16();
}
