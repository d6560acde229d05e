import {
  Application,
  createDecoder,
  createEncoder,
  type OpusDecoderHandle,
  type OpusEncoderHandle,
} from 'libopus-wasm';
import { formatNamed } from './format.ts';

/** Bits per second on average: beyond 24,000, speech of this band gains little. */
const BITRATE = 32_000;

/** Half the CPU of libopus's default (10), for a difference that is not heard in speech. */
const COMPLEXITY = 5;

/** A caller's own phone may send packets of up to 60 ms, which Asterisk passes on as they are. */
const MAX_PACKET_MS = 120;

/** The longest packet of one frame (RFC 6716, section 3.4). */
const MAX_FRAME_PACKET_BYTES = 1275;

/** Of one leg, both ways: each holds memory of libopus until it is closed. */
export class OpusCodec {
  /** What packets are made of, and become. */
  static readonly format = formatNamed('slin24');
  readonly #encoder: OpusEncoderHandle;
  readonly #decoder: OpusDecoderHandle;

  private constructor(encoder: OpusEncoderHandle, decoder: OpusDecoderHandle) {
    this.#encoder = encoder;
    this.#decoder = decoder;
  }

  static async open(): Promise<OpusCodec> {
    const { sampleRate } = OpusCodec.format;
    const mono = { sampleRate: sampleRate as 24_000, channels: 1 } as const;
    const decoder = await createDecoder({ ...mono, maxFrameSize: (sampleRate * MAX_PACKET_MS) / 1000 });
    return new OpusCodec(
      await createEncoder({ ...mono, application: Application.Voip, bitrate: BITRATE, complexity: COMPLEXITY }),
      decoder,
    );
  }

  /** @param frame 20 ms in `format` @returns one packet, at most 1275 bytes */
  encode(frame: Uint8Array): Uint8Array {
    return this.#encoder.encode(frame, { maxPacketBytes: MAX_FRAME_PACKET_BYTES });
  }

  /** @returns what the packet holds, in `format`, usually 20 ms; undefined where it is no packet of Opus */
  decode(packet: Uint8Array): Uint8Array | undefined {
    if (packet.length === 0) return undefined;
    try {
      const pcm = this.#decoder.decode(packet);
      return new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    } catch {
      return undefined;
    }
  }

  /** Nothing else may be called afterwards. */
  close(): void {
    this.#encoder.free();
    this.#decoder.free();
  }
}
