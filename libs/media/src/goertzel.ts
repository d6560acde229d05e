/**
 * How much of a signal is one tone: 0 (nothing, or silence) to 1 (a pure tone of `hz`), independent of loudness.
 *
 * It is the share of the signal's power that Goertzel's filter finds at `hz`. The filter is as wide as the signal is short
 * (about `sampleRate / pcm.length` Hz), so give it at least 100 ms to tell telephone tones apart.
 */
export function toneLevel(pcm: Int16Array, sampleRate: number, hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / sampleRate);
  let last = 0;
  let beforeLast = 0;
  let energy = 0;
  for (let i = 0; i < pcm.length; i += 1) {
    const sample = pcm[i] as number;
    const next = sample + coefficient * last - beforeLast;
    beforeLast = last;
    last = next;
    energy += sample * sample;
  }
  if (energy === 0) return 0;
  const power = last * last + beforeLast * beforeLast - coefficient * last * beforeLast;
  // A sine of amplitude a over n samples has energy n·a²/2, and its bin has the power (n·a/2)².
  return Math.min(1, (2 * power) / (pcm.length * energy));
}
