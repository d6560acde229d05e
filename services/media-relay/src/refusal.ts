import type { RelayReply, RelayRequest } from '@callfleet/bus';
import type { Logger } from '@callfleet/telemetry';

/** What a worker is answered when its request came to this error; logged too. */
export function refusalOf(error: unknown, { call, session, op }: RelayRequest, log: Logger): RelayReply {
  const { code, message } = error as Error & { code?: unknown };
  if (typeof code === 'string' && code.startsWith('CF_')) {
    log.warn({ call, session, op, code, reason: message }, 'relay.refused');
    return { ok: false, code, message };
  }
  log.error({ call, session, op, err: error }, 'relay.failed');
  return { ok: false, code: 'CF_RELAY_FAILED', message };
}
