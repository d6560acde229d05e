import { headers, type MsgHdrs } from '@nats-io/transport-node';

/** Headers of a message: none twice, no line breaks. */
export type HeaderFields = ReadonlyArray<readonly [key: string, value: string]>;

const MESSAGE_ID = 'Nats-Msg-Id';

/**
 * Headers of one event after the other. Those of nats-core check and look up each key anew: with every event that is more work
 * than its JSON, and more garbage (measured). What nats-core sends is what its `toString` says.
 */
export class EventHeaders {
  #text = '';
  readonly #headers = Object.assign(headers(), { toString: () => this.#text });

  /** @returns what is to be published at once: the next call changes it */
  of(eventId: string, fields: HeaderFields): MsgHdrs {
    this.#text = `NATS/1.0\r\n${MESSAGE_ID}: ${eventId}\r\n`;
    for (const [key, value] of fields) this.#text += `${key}: ${value}\r\n`;
    this.#text += '\r\n';
    return this.#headers;
  }
}
