import { type AudioFormat, fromPcm, Resampler, toPcm } from '@callfleet/media';

/** One direction's audio from one format to another, as a stream. What needs no change passes untouched. */
export function converter(from: AudioFormat, to: AudioFormat): (audio: Uint8Array) => Uint8Array {
  if (from.encoding === to.encoding && from.sampleRate === to.sampleRate) return wholeSamples(from);
  const whole = wholeSamples(from);
  const resampler =
    from.sampleRate === to.sampleRate ? undefined : new Resampler({ fromHz: from.sampleRate, toHz: to.sampleRate });
  return (audio) => {
    const pcm = toPcm(from, whole(audio));
    return fromPcm(to, resampler ? resampler.process(pcm) : pcm);
  };
}

/** An AI that sends PCM as bytes may cut a sample in two: all that follows would be noise. */
function wholeSamples({ bytesPerSample }: AudioFormat): (audio: Uint8Array) => Uint8Array {
  if (bytesPerSample === 1) return (audio) => audio;
  let half: Uint8Array = new Uint8Array(0);
  return (audio) => {
    if (half.length === 0 && audio.length % 2 === 0) return audio;
    const all = Buffer.concat([half, audio]);
    const whole = all.length & ~1;
    half = all.subarray(whole);
    return all.subarray(0, whole);
  };
}
