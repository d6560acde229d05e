import { ARI_EVENT_TYPES, type AriEvent } from './generated/events.gen.ts';

/** An event of a type that these types do not know: from a newer Asterisk. */
export interface UnknownAriEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

const KNOWN: ReadonlySet<string> = new Set(ARI_EVENT_TYPES);

/** Whether the event's type is one of {@link AriEvent}, so that `type` tells it apart. */
export function isKnownEvent(event: AriEvent | UnknownAriEvent): event is AriEvent {
  return KNOWN.has(event.type);
}
