import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AudioSocketReader, audioFrame, type FormatName, keyFrame, uuidFrame } from '@callfleet/media';
import type { Channel } from './channel.ts';
import { LegCodec } from './leg-codec.ts';
import type { LegControl, MediaLeg } from './media-leg.ts';

const CONNECT_LIMIT_MS = 2000;
/** With so much stuck in our own socket, frames are dropped. */
const MOST_UNSENT_BYTES = 65_536;

/** AudioSocket: the PBX connects, says whose audio it is, and plays what comes as it comes. */
export class AudioSocketLeg implements MediaLeg {
  readonly name: string;
  readonly dialstring: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly #socket: Socket;
  readonly #codec: LegCodec;

  private constructor(socket: Socket, host: string, uuid: string, format: FormatName) {
    this.#socket = socket;
    this.#codec = new LegCodec(format);
    this.name = `AudioSocket/${host}-${uuid}`;
    this.dialstring = `${host}/${uuid}`;
    this.variables = { AUDIOSOCKET_UUID: uuid, AUDIOSOCKET_SERVICE: host };
  }

  /** @throws what connecting throws, or that it took longer than Asterisk waits */
  static async open(host: string, uuid: string, format: FormatName): Promise<AudioSocketLeg> {
    const at = host.lastIndexOf(':');
    const socket = connect({ host: host.slice(0, at), port: Number(host.slice(at + 1)), noDelay: true });
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_LIMIT_MS) });
    } catch (error) {
      socket.destroy();
      throw error;
    }
    socket.on('error', () => {});
    socket.write(uuidFrame(uuid));
    return new AudioSocketLeg(socket, host, uuid, format);
  }

  begin(channel: Channel, { up, hangUp }: LegControl): void {
    const reader = new AudioSocketReader();
    this.#socket.on('data', (chunk) => {
      for (const frame of reader.read(chunk)) {
        if (frame.kind === 'audio') this.#codec.decode(frame.audio, (audio) => channel.speak(audio));
        else if (frame.kind === 'hangup') hangUp();
      }
    });
    this.#socket.on('close', hangUp);
    up();
  }

  hear(frame: Uint8Array): void {
    if (this.#socket.writableLength > MOST_UNSENT_BYTES) return;
    this.#socket.write(audioFrame(this.#codec.format.sampleRate, this.#codec.encode(frame)));
  }

  digit(digit: string): void {
    this.#socket.write(keyFrame(digit));
  }

  closed(): void {
    this.#socket.end();
  }
}
