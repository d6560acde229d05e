import { type AriRequester, type AriResponse, channels } from '@callfleet/ari';
import type { Logger } from '@callfleet/telemetry';
import { untilDone } from '../async/until-done.ts';
import type { LiveCall } from './live-call.ts';

/**
 * What became of a caller who was to go back to the dialplan. `back`: is there, or was whom we called and is hung up. `gone`: had hung up by
 * then. `left`: with whichever gateway has the shard next.
 */
export type Returned = 'back' | 'gone' | 'left';

/** The channel is not there any more. */
const GONE = 404;
/** The channel is not in Stasis any more: an earlier request, whose answer was late, was carried out. */
const NOT_IN_STASIS = 409;

/** Sends callers back to the dialplan: however long the PBX does not answer, none is left with nobody. */
export class DialplanReturn {
  readonly #ari: AriRequester;
  readonly #log: Logger;
  #isClosed = false;

  constructor(ari: AriRequester, log: Logger) {
    this.#ari = ari;
    this.#log = log;
  }

  /** @param status what the dialplan reads in CALLFLEET_STATUS */
  async send(call: LiveCall, status: string): Promise<Returned> {
    const answer = await untilDone(() => this.#ask(call, status), {
      isOver: () => this.#isClosed || call.endedAt !== undefined,
      onFailure: (error, againInMs) =>
        this.#log.error({ call: call.id, err: error, againInMs }, 'call.give-back-failed'),
    });
    if (answer) return answer;
    if (call.endedAt === undefined) return 'left';
    return call.progress.hangingUp ? 'gone' : 'back';
  }

  /** Tries no more. */
  close(): void {
    this.#isClosed = true;
  }

  /** @throws AriError, CommandRefusedError: the caller may still be there */
  async #ask(call: LiveCall, value: string): Promise<Exclude<Returned, 'left'>> {
    const { channelId } = call;
    // Whom we called is not known to the dialplan.
    if (call.knownOffer?.dial) {
      expectCarriedOut(await this.#ari.request(channels.hangup({ channelId })));
      call.end();
      return 'back';
    }
    for (const request of [
      channels.setChannelVar({ channelId, variable: 'CALLFLEET_STATUS', value }),
      channels.continueInDialplan({ channelId }),
    ])
      if (expectCarriedOut(await this.#ari.request(request)).status === GONE) return 'gone';
    return 'back';
  }
}

function expectCarriedOut(response: AriResponse<unknown>): AriResponse<unknown> {
  const { ok, status } = response;
  if (ok || status === GONE || status === NOT_IN_STASIS) return response;
  throw new Error(`the PBX answers ${status} ${response.refusal}`);
}
