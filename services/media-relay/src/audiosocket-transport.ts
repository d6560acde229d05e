import { randomUUID } from 'node:crypto';
import { isIPv6, type Socket } from 'node:net';
import type { ExternalMedia } from '@callfleet/bus';
import {
  type AudioFormat,
  type AudioSocketFrame,
  audioFrame,
  type FormatName,
  formatNamed,
  hangupFrame,
  type PlayoutBuffer,
  type TimeSource,
} from '@callfleet/media';
import type { AudioSocketServer } from './audiosocket-server.ts';
import { RelayError } from './errors.ts';
import type { MediaTransport, TransportListener, TransportStats } from './transport.ts';

/** Linear, since AudioSocket has no other: `slin` of any Asterisk, the faster ones of newer ones alone. */
export type AudioSocketFormat = Extract<FormatName, `slin${string}`>;

export interface AudioSocketTransportOptions {
  format: AudioSocketFormat;
  server: AudioSocketServer;
  /** The address that the PBX connects to. */
  advertisedAddress: string;
  time: TimeSource;
}

/** Below what a worker waits for an answer (3 s). */
const CONNECT_LIMIT_MS = 2500;
const CLOSE_LIMIT_MS = 1000;

/** With so much audio stuck in our own socket, milliseconds, nothing more is sent. */
const MAX_UNSENT_MS = 200;

/**
 * Asterisk's AudioSocket: the PBX connects to us by TCP and names the leg's UUID, which only it and we know. It plays what comes as
 * it comes, so we pace.
 */
export class AudioSocketTransport implements MediaTransport {
  readonly kind = 'audiosocket';
  readonly format: AudioFormat;
  readonly unplayedMs = 0;
  readonly stats: TransportStats = { sent: 0, sentWithAudio: 0, lost: 0, strangers: 0, malformed: 0 };
  readonly #options: AudioSocketTransportOptions;
  readonly #listener: TransportListener;
  readonly #uuid = randomUUID();
  readonly #connected = Promise.withResolvers<'connected' | 'closed'>();
  #stopExpecting: () => void = () => {};
  #socket: Socket | undefined;
  #attached = false;
  #closed = false;

  constructor(options: AudioSocketTransportOptions, listener: TransportListener) {
    this.#options = options;
    this.#listener = listener;
    this.format = formatNamed(options.format);
  }

  async open(): Promise<ExternalMedia> {
    const { advertisedAddress, server } = this.#options;
    this.#stopExpecting = server.expect(this.#uuid, {
      connected: (socket) => {
        this.#socket = socket;
        this.#connected.resolve('connected');
      },
      frame: (frame) => this.#onFrame(frame),
      gone: (detail) => this.#onLost(detail),
    });
    const host = isIPv6(advertisedAddress) ? `[${advertisedAddress}]` : advertisedAddress;
    return {
      external_host: `${host}:${server.port}`,
      encapsulation: 'audiosocket',
      transport: 'tcp',
      connection_type: 'client',
      format: this.format.name,
      data: this.#uuid,
    };
  }

  /** The leg's variables need not say anything: the PBX comes to us. */
  async attach({ AUDIOSOCKET_UUID: uuid }: Readonly<Record<string, string>>): Promise<void> {
    if (uuid !== undefined && uuid !== this.#uuid)
      throw new RelayError('CF_RELAY_BAD_PEER', 'this AudioSocket leg was made for another session');
    const late = Promise.withResolvers<'late'>();
    const cancel = this.#options.time.after(CONNECT_LIMIT_MS, () => late.resolve('late'));
    const came = await Promise.race([this.#connected.promise, late.promise]);
    cancel();
    if (came === 'closed') throw new RelayError('CF_RELAY_ATTACH_FAILED', 'closed before the PBX connected');
    if (came === 'late')
      throw new RelayError(
        'CF_RELAY_ATTACH_FAILED',
        `the PBX did not connect to ${this.#options.advertisedAddress}:${this.#options.server.port} within ${CONNECT_LIMIT_MS} ms`,
      );
    this.#attached = true;
  }

  pace(playout: PlayoutBuffer): void {
    const socket = this.#socket;
    if (!socket?.writable || !this.#attached || this.#closed) return;
    const { frameBytes, sampleRate } = this.format;
    if (socket.writableLength > (MAX_UNSENT_MS / 20) * frameBytes) return;
    const audio = new Uint8Array(frameBytes);
    if (playout.takeInto(audio)) this.stats.sentWithAudio += 1;
    socket.write(audioFrame(sampleRate, audio));
    this.stats.sent += 1;
  }

  flush(): number {
    return 0;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopExpecting();
    this.#connected.resolve('closed');
    const socket = this.#socket;
    if (!socket || socket.closed) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.end(hangupFrame());
    const cancel = this.#options.time.after(CLOSE_LIMIT_MS, () => socket.destroy());
    await closed;
    cancel();
  }

  #onFrame(frame: AudioSocketFrame): void {
    if (this.#closed) return;
    if (frame.kind === 'hangup') this.#onLost('hung up by the PBX');
    else if (frame.kind === 'error') this.#onLost(`the PBX reports error ${frame.code}`);
    else if (frame.kind === 'key') this.#listener.digit(frame.key);
    else if (frame.kind !== 'audio' || frame.sampleRate !== this.format.sampleRate) this.stats.malformed += 1;
    else if (this.#attached) this.#listener.heard(frame.audio);
  }

  #onLost(detail: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.lost(detail);
  }
}
