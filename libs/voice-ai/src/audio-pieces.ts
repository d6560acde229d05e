import { type AudioFormat, bytesOfMs } from '@callfleet/media';

/** A stream of audio in pieces of some length, as it is sent: a message costs more than what is in it. */
export class AudioPieces {
  readonly #pieceBytes: number;
  readonly #send: (piece: Uint8Array) => void;
  readonly #piece: Uint8Array;
  #filled = 0;

  /**
   * @param pieceMs milliseconds; what comes in longer ones is sent as it is
   * @param send must be done with a piece when it returns: the next one takes its place
   */
  constructor(format: AudioFormat, pieceMs: number, send: (piece: Uint8Array) => void) {
    this.#pieceBytes = bytesOfMs(format, pieceMs);
    this.#send = send;
    this.#piece = new Uint8Array(this.#pieceBytes);
  }

  add(audio: Uint8Array): void {
    if (this.#filled + audio.length > this.#pieceBytes) this.#flush();
    if (audio.length >= this.#pieceBytes) {
      this.#send(audio);
      return;
    }
    this.#piece.set(audio, this.#filled);
    this.#filled += audio.length;
    // Resamplers give a sample more or less: nothing waits for that.
    if (this.#filled + audio.length / 2 > this.#pieceBytes) this.#flush();
  }

  #flush(): void {
    if (this.#filled === 0) return;
    const piece = this.#piece.subarray(0, this.#filled);
    this.#filled = 0;
    this.#send(piece);
  }
}
