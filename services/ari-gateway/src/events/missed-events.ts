import type { Channel } from '@callfleet/ari';
import { type CallId, isOriginatedChannel, partsOfCallId } from '@callfleet/identity';
import { argumentsOf, type PbxSnapshot } from './pbx-snapshot.ts';
import type { ToldCall } from './told-call.ts';

/** An event that Asterisk told nobody, or one who is gone, made from what is known. */
export interface SynthesizedEvent {
  readonly [field: string]: unknown;
  readonly type: string;
  readonly synthesized: true;
  /** Asterisk's form; when it was noticed, since nobody knows when it was. */
  readonly timestamp: string;
}

/** Channels that are calls of the shard, and that nobody was told of. */
export function unknownCalls(
  snapshot: PbxSnapshot,
  isKnown: (call: CallId) => boolean,
  callOf: (channelId: string) => CallId | undefined,
): Channel[] {
  return [...snapshot.channels].filter((channel) => {
    if (!snapshot.isInShard(channel) || snapshot.ownerOf(channel.id) !== undefined) return false;
    const call = snapshot.callIdOf(channel);
    return !isKnown(call) && callOf(channel.id) === call;
  });
}

/**
 * What has become of a call beyond what was told of it: ends of its channels and its own, legs that came, and answers.
 *
 * @param since what this gateway itself has told since it has the socket: the PBX may have been asked before, or after
 * @param callOf the call that a channel belongs to, whatever its id: somebody may have taken the caller's place
 */
export function missedEvents(
  told: ToldCall,
  since: ToldCall,
  snapshot: PbxSnapshot,
  callOf: (channelId: string) => CallId | undefined,
  now: string,
): SynthesizedEvent[] {
  const events: SynthesizedEvent[] = [];
  const channelId = partsOfCallId(told.id)?.channelId ?? '';
  for (const [id, { hasStarted, state }] of told.channels) {
    if (id === channelId || since.ended.has(id)) continue;
    const channel = snapshot.channel(id);
    if (!channel) events.push(...endsOf(id, hasStarted, now));
    else if (isNowUp(channel, since.channels.get(id)?.state ?? state))
      events.push(event('ChannelStateChange', now, { channel }));
  }
  for (const channel of snapshot.channels)
    if (snapshot.ownerOf(channel.id) === told.id && snapshot.isInShard(channel))
      if (!hasComeIn(told, channel.id) && !hasComeIn(since, channel.id) && !since.ended.has(channel.id))
        events.push(startOf(channel, now));
  const caller = snapshot.channel(channelId);
  if (isOriginatedChannel(channelId) && !told.start && !since.start) {
    // Nobody was told that it was made: it was a moment ago, or it was not yet.
    if (caller && snapshot.isHeld(caller)) events.push(startOf(caller, now));
  } else if (caller && snapshot.isHeld(caller)) {
    if (isNowUp(caller, (since.channels.get(channelId) ?? told.channels.get(channelId))?.state ?? ''))
      events.push(event('ChannelStateChange', now, { channel: caller }));
  } else if (told.progress.endedAt === undefined && !isReplaced(told.id, snapshot, callOf))
    events.push(...(caller ? [event('StasisEnd', now, { channel: caller })] : endsOf(channelId, true, now)));
  return events;
}

/** As Asterisk tells that a channel has entered the shard. */
export function startOf(channel: Channel, now: string): SynthesizedEvent {
  return event('StasisStart', now, { args: argumentsOf(channel), channel });
}

/** It was played to its end, or stopped: which, nobody knows. */
export function endOfPlayback(id: string, now: string): SynthesizedEvent {
  return event('PlaybackFinished', now, { playback: { id, state: 'done' } });
}

/** A channel that is gone has nothing left but its id; no cause is told. */
function endsOf(id: string, hasStarted: boolean, now: string): SynthesizedEvent[] {
  const channel = { id, name: '', state: 'Down', dialplan: { app_name: '', app_data: '' } };
  const destroyed = event('ChannelDestroyed', now, { channel });
  return hasStarted ? [event('StasisEnd', now, { channel }), destroyed] : [destroyed];
}

function hasComeIn({ channels }: ToldCall, channelId: string): boolean {
  return channels.get(channelId)?.hasStarted === true;
}

function isNowUp(channel: Channel, toldState: string): boolean {
  return channel.state === 'Up' && toldState !== '' && toldState !== 'Up';
}

function isReplaced(call: CallId, snapshot: PbxSnapshot, callOf: (channelId: string) => CallId | undefined): boolean {
  return [...snapshot.channels].some(
    (channel) => snapshot.ownerOf(channel.id) === undefined && snapshot.isHeld(channel) && callOf(channel.id) === call,
  );
}

function event(type: string, timestamp: string, fields: Record<string, unknown>): SynthesizedEvent {
  return { type, timestamp, synthesized: true, ...fields };
}
