import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { decodeTelephoneEvent, decodeUlaw, keyOfEvent, PacingClock, parseRtp } from '@callfleet/media';
import type { CallerSound } from './caller-sound.ts';
import { CallerStream, TELEPHONE_EVENT } from './caller-stream.ts';
import { HeardAudio } from './heard-audio.ts';
import type { Address } from './sip-message.ts';

/** All callers of a process speak by one clock. */
const clock = new PacingClock(
  {
    now: () => performance.now(),
    after(ms, callback) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  },
  (error) => process.nextTick(() => raise(error)),
);

const ULAW = 0;

/** The ear and the mouth of one caller, or of one phone in a call: a UDP socket that sends 20 ms packets and keeps all that it hears. */
export class CallerMedia {
  readonly heard = new HeardAudio();
  readonly #socket: Socket;
  readonly #stream: CallerStream;
  readonly #now: () => number;
  #listener: Address | undefined;
  #stopSpeaking: (() => void) | undefined;
  #onNextPacket: Array<PromiseWithResolvers<number>> = [];
  #lastDigitTimestamp = -1;
  packetsSent = 0;

  private constructor(socket: Socket, now: () => number) {
    this.#socket = socket;
    this.#now = now;
    const random = randomBytes(10);
    this.#stream = new CallerStream({
      ssrc: random.readUInt32LE(0),
      seq: random.readUInt16LE(4),
      timestamp: random.readUInt32LE(6),
    });
    socket.on('message', (datagram) => this.#hear(datagram));
    // The far side closes its port when it hangs up, a moment before we know.
    socket.on('error', () => {});
  }

  /** @param now milliseconds in the call, for what is heard */
  static async open(now: () => number): Promise<CallerMedia> {
    const socket = createSocket('udp4');
    await once(socket.bind(0, '127.0.0.1'), 'listening');
    return new CallerMedia(socket, now);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Sends from now on, to where the far side wants to hear it; nothing to one who does not want to. */
  speakTo(listener: Address | undefined): void {
    this.#listener = listener;
    this.#stopSpeaking ??= clock.add((skipped) => {
      const packets = this.#stream.next(skipped);
      if (!this.#listener) return;
      const { host, port } = this.#listener;
      for (const packet of packets) {
        this.#socket.send(packet, port, host);
        this.packetsSent += 1;
      }
      const waiting = this.#onNextPacket;
      this.#onNextPacket = [];
      for (const sent of waiting) sent.resolve(this.#now());
    });
  }

  /** @returns when its first packet left; rejects if the call is over before */
  setSound(sound: CallerSound | null): Promise<number> {
    this.#stream.setSound(sound);
    const sent = Promise.withResolvers<number>();
    sent.promise.catch(() => {});
    this.#onNextPacket.push(sent);
    return sent.promise;
  }

  press(digits: string): void {
    this.#stream.press(digits);
  }

  fallSilent(): void {
    this.#stopSpeaking?.();
    for (const sent of this.#onNextPacket) sent.reject(new Error('the call was over before this could be said'));
    this.#onNextPacket = [];
  }

  close(): void {
    this.fallSilent();
    this.#socket.close();
  }

  #hear(datagram: Buffer): void {
    const packet = parseRtp(datagram);
    if (packet?.payloadType === ULAW) {
      this.heard.add({ atMs: this.#now(), ssrc: packet.ssrc, pcm: decodeUlaw(packet.payload) });
    }
    if (packet?.payloadType === TELEPHONE_EVENT && packet.timestamp !== this.#lastDigitTimestamp) {
      this.#lastDigitTimestamp = packet.timestamp;
      const digit = keyOfEvent(decodeTelephoneEvent(packet.payload)?.event ?? -1);
      if (digit) this.heard.addDigit(digit);
    }
  }
}

function raise(error: unknown): never {
  throw error;
}
