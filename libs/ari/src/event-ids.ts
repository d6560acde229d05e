import { isKnownEvent, type UnknownAriEvent } from './event.ts';
import { type AriEvent, EVENT_SUBJECTS, type EventSubject } from './generated/events.gen.ts';

/** Ids that an event carries, each once. The event's main subject comes first in its list. */
export interface EventIds {
  readonly channels: readonly string[];
  readonly bridges: readonly string[];
  readonly playbacks: readonly string[];
  /** Names of recordings: they are their ids. */
  readonly recordings: readonly string[];
}

/** Where an event of an unknown type would carry ids, after the habit of the known ones. */
const USUAL_SUBJECTS: readonly EventSubject[] = [
  { kind: 'Channel', path: ['channel'] },
  { kind: 'Bridge', path: ['bridge'] },
  { kind: 'Playback', path: ['playback'] },
  { kind: 'LiveRecording', path: ['recording'] },
];

/**
 * Collects every channel, bridge, playback and recording id of an event. First the resources that the event is about, in the order of
 * its documentation with those that it always has in front; then those that they refer to: a bridge's members, the target of
 * a playback or recording, an endpoint's channels.
 */
export function idsOfEvent(event: AriEvent | UnknownAriEvent): EventIds {
  const ids = new Ids();
  const found = subjectsIn(event);
  for (const { kind, value } of found) addSubject(ids, kind, value);
  for (const { kind, value } of found) addReferences(ids, kind, value);
  return ids.lists();
}

/** Of these ids only those of the resources that the event is about. */
export function subjectsOfEvent(event: AriEvent | UnknownAriEvent): EventIds {
  const ids = new Ids();
  for (const { kind, value } of subjectsIn(event)) addSubject(ids, kind, value);
  return ids.lists();
}

function subjectsIn(event: AriEvent | UnknownAriEvent): { kind: EventSubject['kind']; value: unknown }[] {
  const subjects = isKnownEvent(event) ? EVENT_SUBJECTS[event.type] : USUAL_SUBJECTS;
  return subjects.map(({ kind, path }) => ({ kind, value: path.reduce(field, event) }));
}

function addSubject(ids: Ids, kind: EventSubject['kind'], value: unknown): void {
  switch (kind) {
    case 'Channel':
      ids.add('channels', field(value, 'id'));
      break;
    case 'Bridge':
      ids.add('bridges', field(value, 'id'));
      break;
    case 'Playback':
      ids.add('playbacks', field(value, 'id'));
      break;
    case 'LiveRecording':
      ids.add('recordings', field(value, 'name'));
      break;
    case 'ChannelId':
      ids.add('channels', value);
      break;
    case 'BridgeId':
      ids.add('bridges', value);
  }
}

function addReferences(ids: Ids, kind: EventSubject['kind'], value: unknown): void {
  switch (kind) {
    case 'Bridge':
      ids.addAll('channels', field(value, 'channels'));
      ids.add('channels', field(value, 'video_source_id'));
      break;
    case 'Endpoint':
      ids.addAll('channels', field(value, 'channel_ids'));
      break;
    case 'Playback':
    case 'LiveRecording':
      ids.addTarget(field(value, 'target_uri'));
  }
}

class Ids {
  readonly #sets = {
    channels: new Set<string>(),
    bridges: new Set<string>(),
    playbacks: new Set<string>(),
    recordings: new Set<string>(),
  };

  /** Nothing where there is no id: most of an event's subjects are optional. */
  add(kind: keyof EventIds, id: unknown): void {
    if (typeof id === 'string' && id !== '') this.#sets[kind].add(id);
  }

  addAll(kind: keyof EventIds, list: unknown): void {
    if (Array.isArray(list)) for (const id of list) this.add(kind, id);
  }

  /** `channel:ID` or `bridge:ID`; the id may hold colons itself. */
  addTarget(uri: unknown): void {
    if (typeof uri !== 'string') return;
    if (uri.startsWith('channel:')) this.add('channels', uri.slice('channel:'.length));
    if (uri.startsWith('bridge:')) this.add('bridges', uri.slice('bridge:'.length));
  }

  lists(): EventIds {
    const { channels, bridges, playbacks, recordings } = this.#sets;
    return { channels: [...channels], bridges: [...bridges], playbacks: [...playbacks], recordings: [...recordings] };
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
