import type { UnknownAriEvent } from './event.ts';
import type { AriEvent } from './generated/events.gen.ts';
import type { AriRequest } from './request.ts';

/** What one text frame from Asterisk is. */
export type Frame =
  | { readonly kind: 'event'; readonly event: AriEvent | UnknownAriEvent }
  | {
      readonly kind: 'response';
      readonly id: string;
      readonly status: number;
      readonly reason: string;
      readonly body: unknown;
    }
  /** `id` is that of the request whose answer it was meant to be, where it says so. */
  | { readonly kind: 'malformed'; readonly why: string; readonly id?: string };

/** Reads a frame as far as the socket needs it: Asterisk's own fields inside an event are taken as documented. */
export function readFrame(text: string): Frame {
  const message = parseJson(text);
  if (typeof message !== 'object' || message === null) return { kind: 'malformed', why: 'not a JSON object' };
  if (!('type' in message) || typeof message.type !== 'string') return { kind: 'malformed', why: 'no type' };
  if (message.type === 'RESTResponse') return readResponse(message);
  return { kind: 'event', event: message as UnknownAriEvent };
}

/** A request as Asterisk's REST over WebSocket wants it: it decodes the uri, and takes the query as it is. */
export function requestFrame(id: string, { method, path, query, body }: AriRequest<unknown>): string {
  return JSON.stringify({
    type: 'RESTRequest',
    transaction_id: id,
    request_id: id,
    method,
    uri: path,
    query_strings: Object.entries(query).map(([name, value]) => ({ name, value })),
    ...(body !== undefined && { content_type: 'application/json', message_body: JSON.stringify(body) }),
  });
}

function readResponse(message: object): Frame {
  const {
    request_id: id,
    status_code: status,
    reason_phrase: reason,
    content_type,
    message_body,
  } = message as Record<string, unknown>;
  if (typeof id !== 'string') return { kind: 'malformed', why: 'a RESTResponse without request_id' };
  if (typeof status !== 'number') return { kind: 'malformed', why: 'a RESTResponse without status_code', id };
  const isJson = typeof content_type === 'string' && content_type.startsWith('application/json');
  const isText = typeof message_body === 'string' && message_body !== '';
  const body = isText && isJson ? parseJson(message_body) : message_body;
  if (isText && body === undefined) return { kind: 'malformed', why: 'a RESTResponse whose body is not JSON', id };
  return { kind: 'response', id, status, reason: typeof reason === 'string' ? reason : '', body };
}

/** Undefined, which JSON cannot express, for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
