import { encodeUlaw } from '@callfleet/media';

/** What a caller says: a steady tone, or 8 kHz samples, once or over and over. Silence is null. */
export type CallerSound = { readonly toneHz: number } | { readonly pcm: Int16Array; readonly repeat?: boolean };

const SAMPLES_PER_FRAME = 160;
/** Peak of a tone, of 16 bits: -6 dB below full scale. */
const TONE_PEAK = 16_384;
const SILENCE = new Uint8Array(SAMPLES_PER_FRAME).fill(0xff);

/** Gives a sound frame by frame, 20 ms of µ-law each; silence after its end. */
export function soundFrames(sound: CallerSound | null): () => Uint8Array {
  if (sound === null) return () => SILENCE;
  const sampleAt = 'toneHz' in sound ? toneSample(sound.toneHz) : recordedSample(sound.pcm, sound.repeat ?? false);
  let at = 0;
  return () => {
    const first = at;
    at += SAMPLES_PER_FRAME;
    return encodeUlaw(Int16Array.from(SILENCE, (_, i) => sampleAt(first + i)));
  };
}

function toneSample(hz: number): (at: number) => number {
  return (at) => Math.round(TONE_PEAK * Math.sin((2 * Math.PI * hz * at) / 8000));
}

function recordedSample(pcm: Int16Array, repeat: boolean): (at: number) => number {
  return (at) => pcm[repeat ? at % pcm.length : at] ?? 0;
}
