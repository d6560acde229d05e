import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Address, parseSip, type SipMessage } from './sip-message.ts';

/**
 * Stands between one sipp and the PBX and carries their datagrams as they are. So we see each message when it passes, with no
 * log files to be read, and can speak to sipp under its own call.
 */
export class SipTap {
  readonly #socket: Socket;
  readonly #pbx: Address;
  readonly #onMessage: (from: 'caller' | 'pbx', message: SipMessage) => void;
  #sipp: Address | undefined;
  #callId = '';

  private constructor(socket: Socket, pbx: Address, onMessage: (from: 'caller' | 'pbx', message: SipMessage) => void) {
    this.#socket = socket;
    this.#pbx = pbx;
    this.#onMessage = onMessage;
    socket.on('message', (datagram, { address, port }) => this.#pass(datagram, { host: address, port }));
    // The far side's port may be closed already; SIP repeats what matters.
    socket.on('error', () => {});
  }

  static async open(pbx: Address, onMessage: (from: 'caller' | 'pbx', message: SipMessage) => void): Promise<SipTap> {
    const socket = createSocket('udp4');
    await once(socket.bind(0, '127.0.0.1'), 'listening');
    return new SipTap(socket, pbx, onMessage);
  }

  get address(): Address {
    return { host: '127.0.0.1', port: this.#socket.address().port };
  }

  /** The one order that caller.sipp.xml knows. */
  orderHangUp(): void {
    if (!this.#sipp) return;
    const { host, port } = this.address;
    const order = [
      `HANGUP sip:caller@${this.#sipp.host}:${this.#sipp.port} SIP/2.0`,
      `Via: SIP/2.0/UDP ${host}:${port};branch=z9hG4bK-order`,
      'From: <sip:testkit>;tag=testkit',
      'To: <sip:caller>;tag=caller',
      `Call-ID: ${this.#callId}`,
      'CSeq: 1 HANGUP',
      'Content-Length: 0',
    ];
    this.#send(Buffer.from(`${order.join('\r\n')}\r\n\r\n`), this.#sipp);
  }

  close(): void {
    this.#socket.close();
  }

  #pass(datagram: Buffer, from: Address): void {
    const fromPbx = from.port === this.#pbx.port;
    const message = parseSip(datagram);
    if (!fromPbx) {
      this.#sipp = from;
      this.#callId = message?.header('Call-ID') ?? this.#callId;
    }
    if (message) this.#onMessage(fromPbx ? 'pbx' : 'caller', message);
    const to = fromPbx ? this.#sipp : this.#pbx;
    if (to) this.#send(datagram, to);
  }

  #send(datagram: Buffer, { host, port }: Address): void {
    this.#socket.send(datagram, port, host);
  }
}
