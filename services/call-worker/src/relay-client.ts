import { setTimeout as wait } from 'node:timers/promises';
import { askAgain, type Bus, BusError, type RelayReply, relayReplySchema, subjects } from '@callfleet/bus';
import { MediaUnavailableError } from '@callfleet/calls';
import type { KnownMediaSession, MediaOrder, MediaRequest, OpenMediaSession } from '@callfleet/calls/runtime';
import type { CallIdentity } from './call-identity.ts';
import type { MayAct } from './gateway-client.ts';
import type { MediaLedger } from './media-ledger.ts';
import type { RelayDirectory } from './relay-directory.ts';
import type { RelayWatch } from './relay-watch.ts';
import { NotCertainError } from './standing.ts';

const RELAY_TIMEOUT_MS = 3000;
const CLOSE_ATTEMPTS = 3;
const RETRY_AFTER_MS = 100;

export interface RelayClientOptions {
  readonly bus: Bus;
  readonly directory: RelayDirectory;
  readonly call: CallIdentity;
  readonly epoch: number;
  readonly mayAct: MayAct;
  readonly over: AbortSignal;
  readonly watch: Pick<RelayWatch, 'watch'>;
  /** What sessions measured, from the answers to `close`, and which are lost. */
  readonly ledger: Pick<MediaLedger, 'measured' | 'lost'>;
  /** The relay of a session is gone, and the session with it. */
  readonly onLost: (session: string) => void;
}

/** One call's way to the relays. */
export class RelayClient {
  readonly #bus: Bus;
  readonly #directory: RelayDirectory;
  readonly #call: CallIdentity;
  readonly #epoch: number;
  readonly #mayAct: MayAct;
  readonly #over: AbortSignal;
  readonly #watch: Pick<RelayWatch, 'watch'>;
  readonly #onLost: (session: string) => void;
  readonly #watched = new Map<string, () => void>();
  readonly #ledger: Pick<MediaLedger, 'measured' | 'lost'>;

  constructor(options: RelayClientOptions) {
    this.#bus = options.bus;
    this.#directory = options.directory;
    this.#call = options.call;
    this.#epoch = options.epoch;
    this.#mayAct = options.mayAct;
    this.#over = options.over;
    this.#watch = options.watch;
    this.#ledger = options.ledger;
    this.#onLost = options.onLost;
  }

  /** Opens a session in the relay named, or in the best that takes it. @throws MediaUnavailableError, naming what each relay answered */
  async open(
    session: string,
    provider: string,
    { options, history = [], conversation, relay: named }: MediaRequest,
  ): Promise<OpenMediaSession> {
    const refusals: string[] = [];
    const relays = named === undefined ? await this.#candidates() : [named];
    for (const relay of relays) {
      const reply = await this.#ask(relay, {
        op: 'open',
        session,
        pbx: this.#call.pbx,
        provider: { name: provider, options },
        history,
        conversation,
      });
      if (reply.ok && reply.externalMedia) {
        return {
          ...this.known(session, relay),
          leg: reply.externalMedia,
          attach: (channelVariables) => this.#attach(relay, session, channelVariables),
        };
      }
      refusals.push(`${relay}: ${reply.ok ? 'no parameters for the leg' : `${reply.message} [${reply.code}]`}`);
      // Counted over all relays: none has a place.
      if (!reply.ok && reply.code === 'CF_PROVIDER_FULL') break;
    }
    throw MediaUnavailableError.of(refusals.length > 0 ? refusals.join('; ') : 'no relay has room');
  }

  async #candidates(): Promise<string[]> {
    const candidates = await this.#directory.candidatesSoon(this.#call.zone);
    return candidates.map(({ relay }) => relay);
  }

  /** A session that is open in that relay already. */
  known(session: string, relay: string): KnownMediaSession {
    this.#watchOver(session, relay);
    return {
      relay,
      order: (order) => this.#order(relay, session, order),
      close: (reason) => this.#close(relay, session, reason),
    };
  }

  async #order(relay: string, session: string, order: MediaOrder): Promise<void> {
    const reply = await this.#ask(relay, { ...order, session });
    if (!reply.ok) throw MediaUnavailableError.of(`${relay}: ${reply.message} [${reply.code}]`);
  }

  #watchOver(session: string, relay: string): void {
    if (this.#watched.has(session) || this.#over.aborted) return;
    const stop = this.#watch.watch(relay, () => {
      this.#directory.forget(relay);
      this.#ledger.lost(session, new Date().toISOString());
      this.#onLost(session);
    });
    this.#watched.set(session, stop);
    this.#over.addEventListener('abort', stop, { once: true });
  }

  #unwatch(session: string): void {
    const stop = this.#watched.get(session);
    if (!stop) return;
    stop();
    this.#over.removeEventListener('abort', stop);
  }

  async #attach(relay: string, session: string, channelVariables: Readonly<Record<string, string>>): Promise<void> {
    const reply = await this.#ask(relay, { op: 'attach', session, channelVariables: { ...channelVariables } });
    if (!reply.ok) throw MediaUnavailableError.of(`${relay}: ${reply.message} [${reply.code}]`);
  }

  /** A relay that is gone has no session any more; one that does not answer for long ends it by itself: its media is lost. */
  async #close(relay: string, session: string, reason: string): Promise<void> {
    this.#unwatch(session);
    for (let attempt = 1; attempt <= CLOSE_ATTEMPTS; attempt += 1) {
      const reply = await this.#ask(relay, { op: 'close', session, reason });
      if (reply.ok && reply.stats) this.#ledger.measured(session, relay, 'closed', reply.stats);
      // Closing again does no harm, and a session that stays takes room from others.
      if (reply.ok || reply.code !== 'CF_BUS_TIMEOUT') return;
    }
  }

  async #ask(relay: string, request: Record<string, unknown>): Promise<RelayReply> {
    for (;;)
      try {
        await this.#mayAct(RELAY_TIMEOUT_MS);
        return await askAgain(
          this.#bus,
          subjects.relay(relay),
          { ...request, call: this.#call.id, epoch: this.#epoch },
          { reply: relayReplySchema, timeoutMs: RELAY_TIMEOUT_MS, signal: this.#over },
        );
      } catch (error) {
        if (!(error instanceof BusError || error instanceof NotCertainError)) throw error;
        // NATS was away, and the relay may be back a moment later than we are: it is not gone for that.
        if (error.code !== 'CF_BUS_NO_RESPONDER' || this.#bus.isSettled())
          return { ok: false, code: error.code, message: error.message };
        await wait(RETRY_AFTER_MS);
      }
  }
}
