import { type AriRequest, playbacks } from '@callfleet/ari';
import { PlaybackFailedError } from '../errors.ts';
import type { Media } from '../media.ts';
import type { CallEvents } from './call-events.ts';
import type { InputQueue } from './input-queue.ts';
import type { Operation } from './operation.ts';

export interface PlaybackOptions {
  readonly events: CallEvents;
  readonly playbackId: string;
  readonly media: readonly Media[];
  /** Begins it. */
  readonly request: AriRequest<unknown>;
  /** A digit that comes, or has come, stops it. */
  readonly stopOn?: InputQueue<string> | undefined;
  /** Rejects with its reason when it is aborted. */
  readonly signal: AbortSignal;
}

/** Plays until the end of the last sound. @throws PlaybackFailedError */
export async function playToEnd(operation: Operation, options: PlaybackOptions): Promise<void> {
  const { events, playbackId, media, request, stopOn, signal } = options;
  if (stopOn?.isEmpty === false) return;
  const isEnd = (event: { type: string; data: Record<string, unknown> }) =>
    event.type === 'ari.PlaybackFinished' && (event.data as PlaybackEventData).playback?.id === playbackId;
  const finished = events.first(isEnd, signal);
  finished.catch(() => {});
  await operation.commandOk(request);
  const stopListening = stopOn?.onInput(() => void stopPlayback(operation, playbackId).catch(() => {}));
  try {
    const { data } = await finished;
    if ((data as PlaybackEventData).playback?.state === 'failed') throw PlaybackFailedError.of(media.join(', '));
  } finally {
    stopListening?.();
  }
}

export async function stopPlayback(operation: Operation, playbackId: string): Promise<void> {
  await operation.remove(playbacks.stop({ playbackId }));
}

export function listOf(media: Media | readonly Media[]): readonly Media[] {
  return typeof media === 'string' ? [media] : media;
}

interface PlaybackEventData {
  readonly playback?: { readonly id?: string; readonly state?: string };
}
