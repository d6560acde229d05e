/** What chan_websocket says in text messages, as far as it matters here. */
export type MediaControlEvent =
  /** Its queue is nearly full (900 of 1000 frames); what comes beyond 1000 is dropped. */
  | { event: 'MEDIA_XOFF' }
  | { event: 'MEDIA_XON' }
  /** What was sent before MARK_MEDIA with this id has been played. */
  | { event: 'MEDIA_MARK_PROCESSED'; id: string }
  | { event: 'DTMF_END'; digit: string }
  /** It did not understand a command. */
  | { event: 'ERROR' }
  | { event: 'other' };

/** Reads one message in JSON, as `f(json)` asks for; undefined where it is none. */
export function readControlEvent(data: Buffer): MediaControlEvent | undefined {
  let message: Record<string, unknown>;
  try {
    message = JSON.parse(data.toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  switch (message?.event) {
    case 'MEDIA_XOFF':
    case 'MEDIA_XON':
    case 'ERROR':
      return { event: message.event };
    case 'MEDIA_MARK_PROCESSED':
      return typeof message.correlation_id === 'string'
        ? { event: 'MEDIA_MARK_PROCESSED', id: message.correlation_id }
        : undefined;
    case 'DTMF_END':
      return typeof message.digit === 'string' ? { event: 'DTMF_END', digit: message.digit } : undefined;
    default:
      return typeof message?.event === 'string' ? { event: 'other' } : undefined;
  }
}
