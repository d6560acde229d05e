/**
 * A sine, for tests, demos and comfort tones.
 *
 * @param level of its peak, 0..1 of full scale; default 0.5 (-6 dBFS)
 */
export function tone(options: { hz: number; ms: number; sampleRate: number; level?: number }): Int16Array {
  const { hz, ms, sampleRate, level = 0.5 } = options;
  const step = (2 * Math.PI * hz) / sampleRate;
  return Int16Array.from({ length: Math.round((ms * sampleRate) / 1000) }, (_, i) =>
    Math.round(Math.sin(i * step) * level * 32_767),
  );
}
