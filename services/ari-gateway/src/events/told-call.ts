import { advance, type CallEvent, type CallProgress } from '@callfleet/bus';
import { type CallId, callOfResource, partsOfCallId } from '@callfleet/identity';
import type { IncomingEvent } from './channel-index.ts';

/** A channel of a call, as its events tell it. */
interface ToldChannel {
  readonly hasStarted: boolean;
  /** Asterisk's word for its state; '' where none was told. */
  readonly state: string;
}

/** What has been told of a call: read from its events alone. */
export interface ToldCall {
  readonly id: CallId;
  readonly progress: CallProgress;
  /** The StasisStart of the caller. */
  readonly start: IncomingEvent | undefined;
  /** Channels that have not ended: the caller's and the legs'. */
  readonly channels: ReadonlyMap<string, ToldChannel>;
  /** Playbacks that have begun and not ended. */
  readonly playbacks: ReadonlySet<string>;
  /** Channels and playbacks that have ended. */
  readonly ended: ReadonlySet<string>;
}

interface EventData {
  readonly channel?: { readonly id?: string; readonly state?: string };
  readonly peer?: { readonly id?: string; readonly state?: string };
  readonly playback?: { readonly id?: string };
}

export function toldCall(id: CallId, events: readonly CallEvent[]): ToldCall {
  const channelId = partsOfCallId(id)?.channelId ?? '';
  const channels = new Map<string, ToldChannel>();
  const ended = new Set<string>();
  const playbacks = new Set<string>();
  let progress: CallProgress = {};
  let start: IncomingEvent | undefined;
  for (const event of events) {
    progress = advance(progress, event, channelId);
    const { channel, peer, playback } = event.data as EventData;
    const isStart = event.type === 'ari.StasisStart';
    if (isStart && channel?.id === channelId) start = event.data as unknown as IncomingEvent;
    for (const one of [channel, peer]) {
      const { id: oneId, state } = one ?? {};
      // Others come and go by themselves, and programs do not wait for them.
      if (oneId === undefined || (oneId !== channelId && callOfResource(oneId) !== id)) continue;
      const before = channels.get(oneId);
      if (isStart) ended.delete(oneId);
      else if (event.type === 'ari.StasisEnd' || event.type === 'ari.ChannelDestroyed') ended.add(oneId);
      const hasStarted = before?.hasStarted === true || (isStart && one === channel);
      channels.set(oneId, { hasStarted, state: state ?? before?.state ?? '' });
    }
    if (playback?.id === undefined) continue;
    if (event.type === 'ari.PlaybackFinished') ended.add(playback.id);
    playbacks.add(playback.id);
  }
  for (const one of ended) {
    channels.delete(one);
    playbacks.delete(one);
  }
  return { id, progress, start, channels, playbacks, ended };
}
