import type { CallEvent } from '@callfleet/bus';
import type { Digit } from '../media.ts';
import type { PartyEvents } from '../party.ts';

/** Fields of ARI events that are read here. */
export interface ChannelEventData {
  readonly channel?: { readonly id?: string; readonly state?: string };
  readonly cause?: number;
  readonly cause_txt?: string;
  readonly digit?: string;
  readonly duration_ms?: number;
  readonly duration?: number;
  readonly eventname?: string;
  readonly userevent?: Readonly<Record<string, unknown>>;
}

/** Asterisk tells an application StasisEnd for certain, and ChannelDestroyed only while it is still subscribed. */
const ENDING = new Set(['ari.StasisEnd', 'ari.ChannelDestroyed']);

export function isOf(event: CallEvent, channelId: string): boolean {
  return (event.data as ChannelEventData).channel?.id === channelId;
}

export function isEndOf(event: CallEvent, channelId: string): boolean {
  return ENDING.has(event.type) && isOf(event, channelId);
}

export function isStartOf(event: CallEvent, channelId: string): boolean {
  return event.type === 'ari.StasisStart' && isOf(event, channelId);
}

/** The digit that was pressed on a channel, if it is that. */
export function digitOf(event: CallEvent, channelId: string): string | undefined {
  if (event.type !== 'ari.ChannelDtmfReceived' || !isOf(event, channelId)) return undefined;
  return (event.data as ChannelEventData).digit;
}

/** Why a channel ended, where Asterisk told it. */
export function causeOf(event: CallEvent): { code: number; text: string } | undefined {
  const { cause, cause_txt } = event.data as ChannelEventData;
  return cause === undefined || cause === 0 ? undefined : { code: cause, text: cause_txt ?? '' };
}

type Reader = (data: ChannelEventData, at: string) => object;

/** By the program's name of an event: Asterisk's, and what is told of it. */
const READERS: Readonly<Record<Exclude<keyof PartyEvents, `ari.${string}`>, { type: string; read: Reader }>> = {
  digit: {
    type: 'ari.ChannelDtmfReceived',
    read: ({ digit, duration_ms }, at) => ({ at, digit: digit as Digit, durationMs: duration_ms ?? 0 }),
  },
  hold: { type: 'ari.ChannelHold', read: (_data, at) => ({ at }) },
  unhold: { type: 'ari.ChannelUnhold', read: (_data, at) => ({ at }) },
  'talking-started': { type: 'ari.ChannelTalkingStarted', read: (_data, at) => ({ at }) },
  'talking-finished': {
    type: 'ari.ChannelTalkingFinished',
    read: ({ duration }, at) => ({ at, durationMs: duration ?? 0 }),
  },
  user: {
    type: 'ari.ChannelUserevent',
    read: ({ eventname, userevent }, at) => ({ at, name: eventname ?? '', data: userevent ?? {} }),
  },
};

/** What an event of the call is to a program that waits for `type` of one channel. */
export function readChannelEvent(event: CallEvent, type: string, channelId: string): object | undefined {
  if (!isOf(event, channelId)) return undefined;
  if (type.startsWith('ari.')) return event.type === type ? event.data : undefined;
  const reader = Object.hasOwn(READERS, type) ? READERS[type as keyof typeof READERS] : undefined;
  if (!reader) throw new TypeError(`there is no event "${type}": ${Object.keys(READERS).join(', ')}, ari.<type>`);
  return event.type === reader.type ? reader.read(event.data as ChannelEventData, event.at) : undefined;
}
