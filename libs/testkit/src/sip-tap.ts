import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Address, parseSip, type SipMessage } from './sip-message.ts';

type OnMessage = (from: 'caller' | 'callee', message: SipMessage) => void;

/** sipp 3.6.1 has been seen to do nothing on an order, on a busy machine; it is given again. */
const ORDER_AGAIN_MS = 1000;

/** sipp has sent what it has to send by then, if it has to send anything. */
const REACTION_MS = 100;

/**
 * Stands between one sipp and the PBX and carries their datagrams as they are. So we see each message when it passes, with no
 * log files to be read, and can speak to sipp under its own call.
 *
 * What sipp must react to is given to it one at a time. It reads all that has come before it sends anything, and takes the
 * second for unexpected, or aborts itself by an assertion (3.6.1).
 */
export class SipTap {
  readonly #socket: Socket;
  readonly #pbx: Address;
  readonly #onMessage: OnMessage;
  #sipp: Address | undefined;
  #callId = '';
  #pbxResponded = false;
  #orderDue = false;
  #ordering: NodeJS.Timeout | undefined;
  #orders = 0;
  #hasHungUp = false;
  /** What waits until sipp has reacted to what it was given last. */
  readonly #waiting: Buffer[] = [];
  #reacting: NodeJS.Timeout | undefined;

  private constructor(socket: Socket, pbx: Address, onMessage: OnMessage) {
    this.#socket = socket;
    this.#pbx = pbx;
    this.#onMessage = onMessage;
    socket.on('message', (datagram, { address, port }) => {
      if (port === pbx.port) this.#fromPbx(datagram);
      else this.#fromSipp(datagram, { host: address, port });
    });
    // The far side's port may be closed already; SIP repeats what matters.
    socket.on('error', () => {});
  }

  static async open(pbx: Address, onMessage: OnMessage): Promise<SipTap> {
    const socket = createSocket('udp4');
    await once(socket.bind(0, '127.0.0.1'), 'listening');
    return new SipTap(socket, pbx, onMessage);
  }

  get address(): Address {
    return { host: '127.0.0.1', port: this.#socket.address().port };
  }

  /** Gives the one order that caller.sipp.xml knows; before the PBX's first response there can be no CANCEL. */
  orderHangUp(): void {
    if (this.#pbxResponded) this.#order();
    else this.#orderDue = true;
  }

  /** It was ordered to hang up, and did not. */
  get isDisobeyed(): boolean {
    return this.#orders > 0 && !this.#hasHungUp;
  }

  #order(): void {
    this.#giveOrder();
    this.#ordering ??= setInterval(() => this.#giveOrder(), ORDER_AGAIN_MS);
  }

  #giveOrder(): void {
    this.#orders += 1;
    const order = [
      'HANGUP sip:caller SIP/2.0',
      'Via: SIP/2.0/UDP testkit;branch=z9hG4bK-order',
      'From: <sip:testkit>;tag=testkit',
      'To: <sip:caller>;tag=caller',
      `Call-ID: ${this.#callId}`,
      'CSeq: 1 HANGUP',
      'Content-Length: 0',
    ];
    this.#toSipp(Buffer.from(`${order.join('\r\n')}\r\n\r\n`), true);
  }

  close(): void {
    clearTimeout(this.#reacting);
    clearInterval(this.#ordering);
    this.#socket.close();
  }

  #fromSipp(datagram: Buffer, from: Address): void {
    this.#sipp = from;
    const message = parseSip(datagram);
    if (message) {
      this.#callId = message.header('Call-ID') ?? '';
      if (message.method === 'BYE' || message.method === 'CANCEL') {
        this.#hasHungUp = true;
        clearInterval(this.#ordering);
      }
      this.#onMessage('caller', message);
    }
    this.#socket.send(datagram, this.#pbx.port, this.#pbx.host);
    this.#reacted();
  }

  #fromPbx(datagram: Buffer): void {
    const message = parseSip(datagram);
    const isFinalAnswer = message?.cseqMethod === 'INVITE' && (message.status ?? 0) >= 200;
    this.#toSipp(datagram, isFinalAnswer || message?.method !== undefined);
    // Afterwards: what it makes us order comes after it.
    if (message) this.#onMessage('callee', message);
    this.#pbxResponded = true;
    if (this.#orderDue) this.#order();
    this.#orderDue = false;
  }

  #toSipp(datagram: Buffer, needsReaction: boolean): void {
    if (this.#reacting && needsReaction) this.#waiting.push(datagram);
    else this.#give(datagram, needsReaction);
  }

  #give(datagram: Buffer, needsReaction: boolean): void {
    if (!this.#sipp) return;
    this.#socket.send(datagram, this.#sipp.port, this.#sipp.host);
    if (needsReaction) this.#reacting = setTimeout(() => this.#reacted(), REACTION_MS);
  }

  #reacted(): void {
    clearTimeout(this.#reacting);
    this.#reacting = undefined;
    const next = this.#waiting.shift();
    if (next) this.#give(next, true);
  }
}
