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
  // Known when the event is told; who waits for `finished` goes on later, and a digit may be told in between.
  let isOver = false;
  const isEnd = (event: { type: string; data: Record<string, unknown> }) => {
    const fits = event.type === 'ari.PlaybackFinished' && (event.data as PlaybackEventData).playback?.id === playbackId;
    isOver ||= fits;
    return fits;
  };
  if (stopOn?.isEmpty === false) {
    if (operation.mayBeUnderWay && !events.has(isEnd)) await stopPlayback(operation, playbackId);
    return;
  }
  const finished = events.first(isEnd, signal);
  finished.catch(() => {});
  await operation.commandOk(request);
  const stop = () => {
    if (isOver || stopOn?.isEmpty !== false) return;
    isOver = true;
    void stopPlayback(operation, playbackId).catch(() => {});
  };
  const stopListening = stopOn?.onInput(stop);
  // What was pressed while it began.
  stop();
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
