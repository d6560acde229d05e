import type { CallProgress } from './call-progress.ts';
import type { CallerMedia } from './caller-media.ts';
import type { HeardAudio } from './heard-audio.ts';

export interface CallReport {
  readonly answered: boolean;
  /** From INVITE to 200; undefined if it was not answered. */
  readonly setupMs: number | undefined;
  /** The final response to the INVITE that was no answer: 487 for a call that the caller cancelled. */
  readonly refused: { readonly status: number; readonly reason: string } | undefined;
  /** Undefined where neither side did: the far side is gone. */
  readonly hungUpBy: 'caller' | 'callee' | undefined;
  /** Of the BYE or the refusal, milliseconds since the INVITE left. */
  readonly endedAtMs: number;
  readonly packetsSent: number;
  readonly heard: HeardAudio;
}

/** @param inCall performance.now() as milliseconds since the INVITE */
export function reportOf(progress: CallProgress, inCall: (at: number) => number, media: CallerMedia): CallReport {
  const { answeredAt, endedAt, endedBy, refused } = progress;
  return {
    answered: answeredAt !== undefined,
    setupMs: answeredAt === undefined ? undefined : inCall(answeredAt),
    refused,
    hungUpBy: endedBy,
    endedAtMs: inCall(endedAt ?? performance.now()),
    packetsSent: media.packetsSent,
    heard: media.heard,
  };
}
