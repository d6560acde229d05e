import type { ExternalMedia } from '@callfleet/bus';
import {
  type AudioFormat,
  type FormatName,
  FRAME_MS,
  formatNamed,
  OpusCodec,
  type PlayoutBuffer,
  type TimeSource,
} from '@callfleet/media';
import { WebSocket } from 'ws';
import { type MediaControlEvent, readControlEvent } from './chan-websocket-control.ts';
import type { LegSocket } from './leg-socket.ts';
import type { MediaTransport, TransportListener, TransportStats } from './transport.ts';

export interface WebSocketTransportOptions {
  /** What goes over the wire; the session hears and plays Opus as `OpusCodec.format`. */
  format: FormatName | 'opus';
  /** Who connects to whom. */
  leg: LegSocket;
  /** Audio is sent so far ahead of its time, milliseconds. */
  leadMs: number;
  time: TimeSource;
}

const CLOSE_TIMEOUT_MS = 1000;

/** Silence is sent so far ahead: what comes after it must wait for it. */
const SILENCE_LEAD_MS = FRAME_MS;

/** Each second the PBX tells how far it has played: two clocks never agree, and its backlog does not shrink by itself. */
const FRAMES_BETWEEN_MARKS = 50;

/** With so many bytes stuck in our own socket, nothing more is sent. */
const MAX_UNSENT_BYTES = 65_536;

/**
 * Asterisk's chan_websocket, which plays what we send at its own pace. A little is sent ahead, against the network's jitter; never
 * much, since what was sent can only be flushed as a whole.
 *
 * The leg's StasisStart comes only after the connection, so `attach` must not wait for it.
 */
export class WebSocketTransport implements MediaTransport {
  readonly kind = 'websocket';
  readonly format: AudioFormat;
  readonly stats: TransportStats = { sent: 0, sentWithAudio: 0, lost: 0, strangers: 0, malformed: 0 };
  readonly #options: WebSocketTransportOptions;
  readonly #listener: TransportListener;
  #opus: OpusCodec | undefined;
  #socket: WebSocket | undefined;
  #closed = false;
  /** The PBX said that its queue is full. */
  #held = false;
  /** When the PBX will have played all that it was sent. */
  #playedOutAt = 0;
  /** The latest frames without silence between them. */
  #framesOfAudio = 0;
  /** Frames sent when the latest mark was, and when the latest flush was: marks before that are void. */
  #markedAt = 0;
  #flushedAt = 0;

  constructor(options: WebSocketTransportOptions, listener: TransportListener) {
    this.#options = options;
    this.#listener = listener;
    this.format = options.format === 'opus' ? OpusCodec.format : formatNamed(options.format);
  }

  async open(): Promise<ExternalMedia> {
    if (this.#options.format === 'opus') await this.#openOpus();
    const { leg, format } = this.#options;
    return {
      ...leg.parameters,
      encapsulation: 'none',
      transport: 'websocket',
      format,
      transport_data: `${leg.options}f(json)`,
    };
  }

  async attach(channelVariables: Readonly<Record<string, string>>): Promise<void> {
    const socket = await this.#options.leg.connect(channelVariables, (data, isBinary) =>
      this.#onMessage(data, isBinary),
    );
    this.#socket = socket;
    socket.on('error', (error) => this.#onLost(error.message));
    socket.on('close', (code) => this.#onLost(`closed by the PBX with code ${code}`));
  }

  pace(playout: PlayoutBuffer): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    while (this.#isDue(socket, playout.queuedMs > 0)) {
      const frame = Buffer.allocUnsafe(this.format.frameBytes);
      const audio = playout.takeInto(frame);
      // One packet to a message: Asterisk takes Opus as it comes, and cannot cut it up.
      socket.send(this.#opus ? this.#opus.encode(frame) : frame);
      this.stats.sent += 1;
      if (audio) this.stats.sentWithAudio += 1;
      this.#framesOfAudio = audio ? this.#framesOfAudio + 1 : 0;
      this.#playedOutAt = Math.max(this.#playedOutAt, this.#options.time.now()) + FRAME_MS;
    }
    const { sent } = this.stats;
    if (sent - this.#markedAt < FRAMES_BETWEEN_MARKS) return;
    this.#markedAt = sent;
    socket.send(`{"command":"MARK_MEDIA","correlation_id":"${sent}"}`);
  }

  get unplayedMs(): number {
    return Math.min(this.#aheadMs, this.#framesOfAudio * FRAME_MS);
  }

  flush(): number {
    const unplayed = this.unplayedMs;
    if (unplayed === 0) return 0;
    this.#socket?.send('{"command":"FLUSH_MEDIA"}');
    this.#playedOutAt = 0;
    this.#framesOfAudio = 0;
    this.#flushedAt = this.stats.sent;
    return unplayed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#opus?.close();
    this.#opus = undefined;
    this.#options.leg.forget();
    const socket = this.#socket;
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close(1000);
    const cancel = this.#options.time.after(CLOSE_TIMEOUT_MS, () => socket.terminate());
    await closed;
    cancel();
  }

  async #openOpus(): Promise<void> {
    const opus = await OpusCodec.open();
    if (this.#closed) opus.close();
    else this.#opus = opus;
  }

  get #aheadMs(): number {
    return Math.max(0, this.#playedOutAt - this.#options.time.now());
  }

  #isDue(socket: WebSocket, audio: boolean): boolean {
    if (this.#held || socket.bufferedAmount > MAX_UNSENT_BYTES) return false;
    return this.#aheadMs + FRAME_MS / 2 < (audio ? this.#options.leadMs : SILENCE_LEAD_MS);
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#options.time.doDue?.();
    if (this.#closed) return;
    if (isBinary) {
      this.#onAudio(data);
      return;
    }
    const event = readControlEvent(data);
    if (event) this.#onControl(event);
    else this.stats.malformed += 1;
  }

  #onAudio(message: Uint8Array): void {
    const audio = this.#opus ? this.#opus.decode(message) : message;
    if (audio) this.#listener.heard(audio);
    else this.stats.malformed += 1;
  }

  #onControl(event: MediaControlEvent): void {
    switch (event.event) {
      case 'MEDIA_XOFF':
        this.#held = true;
        break;
      case 'MEDIA_XON':
        this.#held = false;
        break;
      case 'MEDIA_MARK_PROCESSED':
        this.#onPlayedTo(Number(event.id));
        break;
      case 'DTMF_END':
        this.#listener.digit(event.digit);
        break;
      case 'ERROR':
        this.stats.malformed += 1;
        break;
      case 'other':
        break;
    }
  }

  /** @param frame the number of the last frame that was played */
  #onPlayedTo(frame: number): void {
    const { sent } = this.stats;
    if (!(frame > this.#flushedAt && frame <= sent)) return;
    this.#playedOutAt = this.#options.time.now() + (sent - frame) * FRAME_MS;
  }

  #onLost(detail: string): void {
    if (!this.#closed) this.#listener.lost(detail);
  }
}
