import type { CallId } from '@callfleet/identity';
import type { OriginateRefusal } from './originate-messages.ts';

/**
 * A call was not placed. The codes that are not a gateway's: `CF_NO_HEALTHY_PBX`, nobody holds a shard of the PBX, or of any;
 * `CF_NATS_AWAY`, nobody could be asked; `CF_ORIGINATE_NO_ANSWER`, a gateway was asked and said nothing in time: nobody can say
 * whether the call is placed, and its record tells it under `call`.
 */
export class OriginateError extends Error {
  override readonly name = 'OriginateError';
  readonly code: OriginateRefusal | 'CF_NO_HEALTHY_PBX' | 'CF_NATS_AWAY' | 'CF_ORIGINATE_NO_ANSWER';
  readonly call: CallId | undefined;

  constructor(code: OriginateError['code'], message: string, options: ErrorOptions & { call?: CallId } = {}) {
    super(message, options);
    this.code = code;
    this.call = options.call;
  }
}
