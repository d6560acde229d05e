import type { AiTurns, HeardTurns } from '@callfleet/testkit';

/** Of one or more calls, milliseconds. */
export interface VoiceLatency {
  /** From the AI's first audio of an answer to the bot's first audio at the caller. */
  readonly answers: readonly number[];
  /** From the caller's first audio to the bot's last; how much of it the AI took to tell that he speaks. */
  readonly cuts: ReadonlyArray<{ readonly ms: number; readonly vadMs: number }>;
  /** Times the bot was not cut. */
  readonly notCut: number;
}

/** An answer, or a word of the AI that the caller speaks, belongs to what came first within so long. */
const MOST_MS = 2000;

/** Puts together what was noted at both ends of one call. */
export function voiceLatency(caller: HeardTurns, ai: AiTurns): VoiceLatency {
  const answers = ai.answeredAt.flatMap((answeredAt) => {
    const heardAt = caller.botStarted.find((at) => at >= answeredAt && at - answeredAt < MOST_MS);
    return heardAt === undefined ? [] : [heardAt - answeredAt];
  });
  const cuts = caller.cuts.flatMap(({ saidAt, botLastAt }) => {
    const heard = ai.heard.find(({ voicedAt }) => voicedAt >= saidAt && voicedAt - saidAt < MOST_MS);
    return heard ? [{ ms: botLastAt - saidAt, vadMs: heard.toldAt - heard.voicedAt }] : [];
  });
  return { answers, cuts, notCut: caller.notCut };
}

export function joinedLatency(all: readonly VoiceLatency[]): VoiceLatency {
  return {
    answers: all.flatMap(({ answers }) => answers),
    cuts: all.flatMap(({ cuts }) => cuts),
    notCut: all.reduce((sum, { notCut }) => sum + notCut, 0),
  };
}
