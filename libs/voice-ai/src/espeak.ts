import { spawn } from 'node:child_process';
import { VoiceProviderError } from './errors.ts';

export interface Voice {
  /** As espeak-ng names it: `en`, `en-gb`, `de`, `en+f3`. */
  readonly voice: string;
  readonly wordsPerMinute: number;
}

/** Makes speech of a text: linear samples at {@link SPEECH_HZ}. @throws VoiceProviderError */
export type Synthesis = (text: string, voice: Voice) => Promise<Int16Array>;

/** Of all of espeak-ng's own voices. */
export const SPEECH_HZ = 22_050;

const PROGRAM = 'espeak-ng';

/** A phrase takes 20 ms; milliseconds. */
const SYNTHESIS_LIMIT_MS = 10_000;
/** Ten minutes of speech: what the slowest voice makes of the longest text that a program may have said. */
const MAX_OUTPUT_BYTES = 10 * 60 * SPEECH_HZ * 2;
const MAX_COMPLAINT = 500;
const MAX_AT_ONCE = 4;
const MAX_WAITING = 1000;
const WAV_HEADER_BYTES = 44;

let running = 0;
const waiting: Array<() => void> = [];

/** Has espeak-ng speak: a process for each phrase, four of them at once on this machine's relay. */
export const espeak: Synthesis = async (text, voice) => {
  if (running >= MAX_AT_ONCE) {
    if (waiting.length >= MAX_WAITING)
      throw failure('CF_PROVIDER_LIMITED', `has ${MAX_WAITING} phrases to say already`);
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running += 1;
  try {
    return samplesOf(await speak(text, voice));
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
};

function speak(text: string, { voice, wordsPerMinute }: Voice): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const child = spawn(PROGRAM, ['-v', voice, '-s', String(wordsPerMinute), '-b', '1', '-z', '--stdin', '--stdout'], {
    // The relay's environment has keys.
    env: { PATH: process.env.PATH },
    timeout: SYNTHESIS_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const output: Buffer[] = [];
  let bytes = 0;
  let complaint = '';
  child.stdout.on('data', (data: Buffer) => {
    bytes += data.length;
    if (bytes <= MAX_OUTPUT_BYTES) output.push(data);
    else child.kill('SIGKILL');
  });
  child.stderr.setEncoding('utf8').on('data', (said: string) => {
    complaint = (complaint + said).slice(0, MAX_COMPLAINT);
  });
  child.once('error', (cause: NodeJS.ErrnoException) => {
    const why =
      cause.code === 'ENOENT'
        ? "needs the program espeak-ng on the relay's PATH (Debian: apt-get install espeak-ng; macOS: brew install espeak-ng)"
        : `can't start espeak-ng: ${cause.message}`;
    reject(failure('CF_PROVIDER_MISSING', why, cause));
  });
  child.once('close', (code) => {
    if (code === 0) resolve(Buffer.concat(output));
    else if (bytes > MAX_OUTPUT_BYTES) reject(failure('CF_PROVIDER_FAILED', 'was given too long a text'));
    else if (code === null) reject(failure('CF_PROVIDER_TIMEOUT', `did not speak within ${SYNTHESIS_LIMIT_MS} ms`));
    else if (complaint.includes('voice does not exist'))
      reject(failure('CF_PROVIDER_OPTIONS', `has no voice "${voice}" (accepted: what \`espeak-ng --voices\` lists)`));
    else reject(failure('CF_PROVIDER_FAILED', `can't speak: espeak-ng ended with code ${code}: ${complaint.trim()}`));
  });
  // It may be gone before it has read its text: its end says why.
  child.stdin.on('error', () => {});
  child.stdin.end(text);
  return promise;
}

/** A text without a word has no speech, and no WAV. */
function samplesOf(wav: Buffer): Int16Array {
  if (wav.length < WAV_HEADER_BYTES) return new Int16Array(0);
  const [channels, hz, bits] = [wav.readUInt16LE(22), wav.readUInt32LE(24), wav.readUInt16LE(34)];
  if (wav.toString('latin1', 36, 40) !== 'data' || channels !== 1 || hz !== SPEECH_HZ || bits !== 16)
    throw failure('CF_PROVIDER_PROTOCOL', `wants 16 bits at ${SPEECH_HZ} Hz, and espeak-ng gave ${bits} at ${hz} Hz`);
  const samples = new Int16Array((wav.length - WAV_HEADER_BYTES) >> 1);
  for (let i = 0; i < samples.length; i += 1) samples[i] = wav.readInt16LE(WAV_HEADER_BYTES + 2 * i);
  return samples;
}

function failure(code: VoiceProviderError['code'], what: string, cause?: unknown): VoiceProviderError {
  return new VoiceProviderError(code, 'local', `provider "local" ${what}`, { cause });
}
