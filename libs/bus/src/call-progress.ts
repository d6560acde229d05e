import type { CallEvent } from './call-event.ts';

/** How far a call has come, read from its events alone. */
export interface CallProgress {
  /** Asterisk's clock, ISO 8601. */
  readonly answeredAt?: string;
  readonly endedAt?: string;
  /** The channel is being hung up, by whichever side: its end will come with a cause. */
  readonly hangingUp?: boolean;
  /** Q.850 cause and text. */
  readonly cause?: { readonly code: number; readonly text: string };
}

interface ChannelEvent {
  readonly channel?: { readonly id?: string; readonly state?: string };
  readonly cause?: number;
  readonly cause_txt?: string;
}

/** What `event` adds. Only the call's own channel counts, not its legs. */
export function advance(progress: CallProgress, event: CallEvent, channelId: string): CallProgress {
  const data = event.data as ChannelEvent;
  if (data.channel?.id !== channelId) return progress;
  switch (event.type) {
    case 'ari.StasisStart':
    case 'ari.ChannelStateChange':
      // One that is answered after it left Stasis is answered by the dialplan.
      if (data.channel.state !== 'Up' || (progress.answeredAt ?? progress.endedAt) !== undefined) return progress;
      return { ...progress, answeredAt: event.at };
    case 'ari.ChannelHangupRequest':
      // The last word on the cause is ChannelDestroyed's, but of a channel that was in no bridge it has none.
      return { ...withCause(progress, data), hangingUp: true };
    case 'ari.StasisEnd':
      return { ...progress, endedAt: progress.endedAt ?? event.at };
    case 'ari.ChannelDestroyed':
      return { ...withCause(progress, data), endedAt: progress.endedAt ?? event.at };
    default:
      return progress;
  }
}

function withCause(progress: CallProgress, { cause, cause_txt }: ChannelEvent): CallProgress {
  if (cause === undefined || cause === 0) return progress;
  return { ...progress, cause: { code: cause, text: cause_txt ?? '' } };
}
