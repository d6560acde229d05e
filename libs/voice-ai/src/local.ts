import { readFile } from 'node:fs/promises';
import { EnergyVad, type SpeechDetector, VoiceDetector } from '@callfleet/media';
import { z } from 'zod';
import type { Ear } from './barge-in.ts';
import { type Dialogue, dialogueSchema } from './dialogue.ts';
import { VoiceProviderError } from './errors.ts';
import { espeak, type Synthesis } from './espeak.ts';
import { LocalBot } from './local-bot.ts';
import type { VoiceContext, VoiceProvider } from './provider.ts';
import { parseOptions, wrongIn } from './provider-options.ts';
import { SpokenPhrases } from './spoken-phrases.ts';

const options = {
  /** What it says, and what leads where; or the file of the relay that has it, as JSON, read for each call. */
  dialogue: dialogueSchema.optional(),
  dialogueFile: z.string().startsWith('/', 'an absolute path').optional(),
  /** One of espeak-ng's. */
  voice: z
    .string()
    .regex(/^[a-zA-Z][\w+-]{0,40}$/, "one of espeak-ng's voices: en, en-gb, de, en+f3")
    .default('en'),
  wordsPerMinute: z.int().min(80).max(400).default(165),
  /** So much silence ends what the caller says, milliseconds. */
  silenceMs: z.int().min(100).max(5000).default(600),
  /** How sure it must be that it hears a voice: from 0, which takes most for one, to 3. */
  strictness: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]).default(2),
  /** With it, audio at least this loud is speech, whatever it sounds like, dBFS. */
  thresholdDbfs: z.number().min(-90).max(0).optional(),
};

type LocalOptions = z.output<z.ZodObject<typeof options>>;

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * A bot without an AI: it says what its dialogue has, hears when the caller speaks, and understands keys.
 *
 * @throws VoiceProviderError CF_PROVIDER_OPTIONS
 */
export const local = localSpeakingBy(espeak);

/** As {@link local}, with a voice from elsewhere. */
export function localSpeakingBy(synthesize: Synthesis): (given: unknown) => VoiceProvider {
  const phrases = new SpokenPhrases(synthesize);
  return (given) => {
    const parsed = parseOptions('local', options, given);
    if ((parsed.dialogue === undefined) === (parsed.dialogueFile === undefined))
      throw wrong('needs one of the options dialogue, dialogueFile');
    return {
      name: 'local',
      open: async (context) => {
        context.signal.throwIfAborted();
        const dialogue = parsed.dialogue ?? (await dialogueIn(parsed.dialogueFile ?? ''));
        const bot = new LocalBot(context, dialogue, { phrases, ...parsed }, await earFor(context, parsed));
        try {
          await bot.begin();
          return bot;
        } catch (error) {
          await bot.close();
          throw error;
        }
      },
    };
  };
}

async function earFor({ format }: VoiceContext, parsed: LocalOptions): Promise<Ear> {
  const { silenceMs, strictness, thresholdDbfs } = parsed;
  const how = { sampleRate: format.sampleRate, hangoverMs: silenceMs };
  if (thresholdDbfs === undefined) return VoiceDetector.create({ ...how, strictness });
  const vad: SpeechDetector = new EnergyVad({ ...how, thresholdDbfs });
  return vad;
}

async function dialogueIn(file: string): Promise<Dialogue> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw wrong(`can't read its dialogue from the file ${file}: ${cause.code}`, cause);
  });
  if (text.length > MAX_FILE_BYTES) throw wrong(`takes no dialogue of more than ${MAX_FILE_BYTES} bytes: ${file}`);
  const read = dialogueSchema.safeParse(parsedJson(text, file));
  if (read.success) return read.data;
  throw wrong(`does not take the dialogue in ${file}: ${wrongIn(read.error)}`);
}

function parsedJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw wrong(`can't read its dialogue from the file ${file}: ${(cause as Error).message}`, cause);
  }
}

function wrong(what: string, cause?: unknown): VoiceProviderError {
  return new VoiceProviderError('CF_PROVIDER_OPTIONS', 'local', `provider "local" ${what}`, { cause });
}
