import { randomUUID } from 'node:crypto';
import type { FormatName, PacingClock } from '@callfleet/media';
import type { WebSocket } from 'ws';
import type { Channel } from './channel.ts';
import { LegCodec } from './leg-codec.ts';
import type { LegControl, MediaLeg } from './media-leg.ts';
import { MediaQueue } from './media-queue.ts';

const CLOSED_NORMALLY = 1000;
const PTIME_MS = 20;

/** Commands that are longer are ignored. */
const MOST_COMMAND_BYTES = 128;

/** chan_websocket in server mode: its peer connects to `/media/<id>`, sends as fast as it likes, and is played 20 ms at a time. */
export class WebSocketLeg implements MediaLeg {
  readonly id = randomUUID();
  readonly name: string;
  readonly dialstring: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly #codec: LegCodec;
  readonly #clock: PacingClock;
  readonly #isJson: boolean;
  readonly #queue: MediaQueue;
  readonly #onClosed: () => void;
  #channel: Channel | undefined;
  #control: LegControl | undefined;
  #socket: WebSocket | undefined;
  #stopPlaying: (() => void) | undefined;

  /** @param transportData as in the request: `f(json)` asks for control messages in JSON */
  constructor(format: FormatName, transportData: string, clock: PacingClock, onClosed: () => void) {
    this.#codec = new LegCodec(format);
    this.#clock = clock;
    this.#isJson = transportData.includes('f(json)');
    this.#onClosed = onClosed;
    this.#queue = new MediaQueue(this.#codec.format, (event, details) => this.#tell(event, details));
    this.name = `WebSocket/INCOMING/0x${this.id.slice(0, 8)}`;
    this.dialstring = ['INCOMING', transportData].filter((part) => part !== '').join('/');
    this.variables = {
      MEDIA_WEBSOCKET_CONNECTION_ID: this.id,
      MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE: String(this.#codec.format.frameBytes),
    };
  }

  begin(channel: Channel, control: LegControl): void {
    this.#channel = channel;
    this.#control = control;
  }

  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  /** Its peer is there. */
  connect(socket: WebSocket): void {
    const channel = this.#channel as Channel;
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#queue.put(data);
      else this.#command(data);
    });
    socket.on('close', () => this.#control?.hangUp());
    this.#tell('MEDIA_START', {
      connection_id: this.id,
      channel: channel.name,
      channel_id: channel.id,
      format: this.#codec.format.name,
      optimal_frame_size: this.#codec.format.frameBytes,
      ptime: PTIME_MS,
    });
    this.#stopPlaying = this.#clock.add(() => this.#play(channel));
    this.#control?.up();
  }

  hear(frame: Uint8Array): void {
    this.#socket?.send(this.#codec.encode(frame), { binary: true });
  }

  digit(digit: string): void {
    this.#tell('DTMF_END', { digit });
  }

  closed(): void {
    this.#control = undefined;
    this.#stopPlaying?.();
    this.#socket?.close(CLOSED_NORMALLY);
    this.#onClosed();
  }

  #play(channel: Channel): void {
    const item = this.#queue.next();
    if (item) this.#codec.decode(item, (frame) => channel.speak(frame));
  }

  #command(data: Buffer): void {
    if (data.length > MOST_COMMAND_BYTES) return;
    const { command, correlation_id: mark } = commandIn(data.toString());
    if (command === 'HANGUP') this.#control?.hangUp();
    else if (command === 'ANSWER') return;
    else if (!this.#queue.command(command, mark)) this.#tell('ERROR', { error_text: `Unknown command: ${command}` });
  }

  #tell(event: string, details: Readonly<Record<string, unknown>>): void {
    const channel_id = this.#channel?.id ?? '';
    const text = this.#isJson
      ? JSON.stringify({ event, channel_id, ...details })
      : [event, ...Object.entries(details).map(([name, value]) => `${name}:${value}`)].join(' ');
    this.#socket?.send(text);
  }
}

/** In JSON, or as Asterisk had it first: the command, and what belongs to it. */
function commandIn(text: string): { command: string; correlation_id: string } {
  if (!text.startsWith('{')) {
    const [command = '', correlation_id = ''] = text.trim().split(/\s+/);
    return { command, correlation_id };
  }
  try {
    const { command, correlation_id } = JSON.parse(text) as Record<string, unknown>;
    return { command: String(command), correlation_id: String(correlation_id ?? '') };
  } catch {
    return { command: text, correlation_id: '' };
  }
}
