import type { AudioFormat } from '@callfleet/media';

/** Frames that Asterisk's chan_websocket holds, and when it says that it has enough, and room again. */
const MOST_FRAMES = 1000;
const XOFF_FRAMES = 900;
const XON_FRAMES = 800;

type Told = (event: string, details: Readonly<Record<string, unknown>>) => void;

/** What a WebSocket leg was sent ahead: played a frame at a time, with the marks between. */
export class MediaQueue {
  readonly #format: AudioFormat;
  readonly #tell: Told;
  readonly #items: Array<Uint8Array | { readonly mark: string }> = [];
  #rest: Uint8Array = new Uint8Array(0);
  #frames = 0;
  #isBuffering = false;
  #isPaused = false;
  #isHeld = false;
  #tellsDrained = false;

  constructor(format: AudioFormat, tell: Told) {
    this.#format = format;
    this.#tell = tell;
  }

  /** A message; one that finds the queue full is dropped as a whole. */
  put(data: Uint8Array): void {
    if (this.#frames >= MOST_FRAMES) return;
    const { frameBytes } = this.#format;
    let bytes = data;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + data.length);
      bytes.set(this.#rest);
      bytes.set(data, this.#rest.length);
    }
    let at = 0;
    for (; at + frameBytes <= bytes.length; at += frameBytes) this.#push(bytes.subarray(at, at + frameBytes));
    this.#rest = bytes.subarray(at);
    if (!this.#isBuffering) this.#pushRest();
    if (this.#frames < XOFF_FRAMES || this.#isHeld) return;
    this.#isHeld = true;
    this.#tell('MEDIA_XOFF', {});
  }

  /** The frame whose turn it is. */
  next(): Uint8Array | undefined {
    if (this.#isPaused) return undefined;
    this.#passMarks();
    const frame = this.#items.shift();
    if (!(frame instanceof Uint8Array)) return undefined;
    this.#frames -= 1;
    this.#passMarks();
    if (this.#isHeld && this.#frames <= XON_FRAMES) {
      this.#isHeld = false;
      this.#tell('MEDIA_XON', {});
    }
    if (this.#frames === 0 && this.#tellsDrained) {
      this.#tellsDrained = false;
      this.#tell('QUEUE_DRAINED', {});
    }
    return frame;
  }

  /** @returns false: there is no such command */
  command(command: string, mark: string): boolean {
    switch (command) {
      case 'FLUSH_MEDIA':
        this.#items.length = 0;
        this.#frames = 0;
        this.#rest = new Uint8Array(0);
        this.#isBuffering = false;
        if (this.#isHeld) this.#tell('MEDIA_XON', {});
        this.#isHeld = false;
        return true;
      case 'MARK_MEDIA':
        this.#pushRest();
        this.#items.push({ mark });
        return true;
      case 'START_MEDIA_BUFFERING':
        this.#isBuffering = true;
        return true;
      case 'STOP_MEDIA_BUFFERING':
        this.#isBuffering = false;
        this.#pushRest();
        this.#tell('MEDIA_BUFFERING_COMPLETED', mark === '' ? {} : { correlation_id: mark });
        return true;
      case 'PAUSE_MEDIA':
        this.#isPaused = true;
        return true;
      case 'CONTINUE_MEDIA':
        this.#isPaused = false;
        return true;
      case 'REPORT_QUEUE_DRAINED':
        this.#tellsDrained = true;
        return true;
      case 'GET_STATUS':
        this.#tell('STATUS', {
          queue_length: this.#frames,
          xon_level: XON_FRAMES,
          xoff_level: XOFF_FRAMES,
          queue_full: this.#frames >= MOST_FRAMES,
          bulk_media: this.#isBuffering,
          media_paused: this.#isPaused,
        });
        return true;
      default:
        return false;
    }
  }

  /** Marks at the head: all before them has been played. */
  #passMarks(): void {
    for (let first = this.#items[0]; first && 'mark' in first; first = this.#items[0]) {
      this.#items.shift();
      this.#tell('MEDIA_MARK_PROCESSED', { correlation_id: first.mark });
    }
  }

  #push(frame: Uint8Array): void {
    this.#items.push(frame);
    this.#frames += 1;
  }

  /** What is no whole frame is filled up with silence. */
  #pushRest(): void {
    if (this.#rest.length === 0) return;
    const frame = new Uint8Array(this.#format.frameBytes).fill(this.#format.silenceByte);
    frame.set(this.#rest);
    this.#rest = new Uint8Array(0);
    this.#push(frame);
  }
}
