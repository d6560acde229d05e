import { setTimeout as wait } from 'node:timers/promises';
import {
  type Bus,
  type CallEvent,
  CallEventFeed,
  mediaEventSchemas,
  type Offer,
  writeCallRecord,
} from '@callfleet/bus';
import { type CallContext, CallTakenOverError, ProgramStuckError } from '@callfleet/calls';
import { type CallHost, type CallOutcome, CallRuntime, type Journal } from '@callfleet/calls/runtime';
import type { Lease } from '@callfleet/leases';
import { inSpan, type Logger } from '@callfleet/telemetry';
import { callRecordOf } from './call-record.ts';
import { wallClock } from './clock.ts';
import { GatewayClient } from './gateway-client.ts';
import { type OpenJournal, openJournal } from './journal.ts';
import type { ProgramRoute } from './program-routes.ts';
import { NoProgramThreadError, type ProgramThreads } from './program-threads.ts';
import { RelayClient } from './relay-client.ts';
import type { RelayDirectory } from './relay-directory.ts';
import { type RunningProgram, ThreadLostError } from './supervised-thread.ts';

export interface ClaimedCallOptions {
  readonly bus: Bus;
  readonly relays: RelayDirectory;
  readonly offer: Offer;
  readonly lease: Lease;
  readonly route: ProgramRoute;
  readonly threads: ProgramThreads;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly log: Logger;
}

/** Where a call's program runs next; an error: nowhere, the call is given back for it. */
type Place = 'shared' | 'alone' | Error;

/** NATS may be away just when a call has lost its thread, milliseconds. */
const REOPEN_AFTER_MS = 250;

/** One call in this worker's hands, from its lease to its record. */
export class ClaimedCall {
  readonly #options: ClaimedCallOptions;
  readonly #log: Logger;
  readonly #gateway: GatewayClient;
  readonly #relay: RelayClient;
  #running: RunningProgram | undefined;
  /** Why the call is not this worker's any more, if it is so. */
  #lost: string | undefined;

  constructor(options: ClaimedCallOptions) {
    const { bus, offer, lease, relays, commandTimeoutMs } = options;
    const where = { id: offer.call, pbx: offer.pbx, shard: offer.shard, zone: offer.zone };
    this.#options = options;
    this.#log = options.log.child({ call: offer.call, epoch: lease.epoch });
    this.#gateway = new GatewayClient(bus, where, lease, commandTimeoutMs);
    this.#relay = new RelayClient(bus, relays, where, lease.epoch);
  }

  /**
   * Tells the gateway whose the call is, reads what was missed, runs the program to its end, and writes the record.
   *
   * @param onTaken the call is in hand, with all that is known of it
   * @returns false when the call is another worker's by then
   */
  async run(onTaken: () => void): Promise<boolean> {
    const { bus, offer, lease, route } = this.#options;
    const claimed = this.claim();
    const outcome = await this.#runToEnd(onTaken);
    await claimed;
    if (!outcome) {
      this.#log.info('call.lost');
      return false;
    }
    await writeCallRecord(bus, callRecordOf(offer, route.name, lease, outcome, this.#relay.results.values()));
    await this.#gateway.done().catch((error: unknown) => this.#log.warn({ err: error }, 'call.done-not-told'));
    this.#log.info({ endedBy: outcome.endedBy, error: outcome.error }, 'call.ended');
    return true;
  }

  /** Tells the gateway that the call is its lease's owner's. */
  claim(): Promise<void> {
    return this.#gateway.claim().catch((error: unknown) => this.#onClaimRefused(error));
  }

  get lease(): Lease {
    return this.#options.lease;
  }

  /** Another worker has it: this one's part is over. */
  lose(why: string): void {
    this.#lost ??= why;
    this.#running?.abandon(why);
  }

  /** Stops acting for the call, and has it offered to the other workers. They go on where this one stood. */
  async handOver(freeLease: (lease: Lease) => Promise<unknown>): Promise<void> {
    this.lose('this worker stops');
    await freeLease(this.lease);
    await this.#gateway.release().catch((error: unknown) => this.#log.error({ err: error }, 'call.not-handed-over'));
  }

  /** As often as the program loses its thread, with the same lease: nobody else notices. */
  async #runToEnd(onTaken: () => void): Promise<CallOutcome | undefined> {
    let place: Place = 'shared';
    for (let run = 1; ; run += 1)
      try {
        return await this.#runOnce(run, place, run === 1 ? onTaken : () => {});
      } catch (error) {
        if (run > 1 && error instanceof CallTakenOverError) return undefined;
        place = placeAfter(place, error);
        if (this.#lost !== undefined) return undefined;
        const fields = { reason: (error as Error).message, next: place instanceof Error ? 'given back' : place };
        this.#log[place === 'shared' ? 'info' : 'warn'](fields, 'call.thread-lost');
      }
  }

  async #runOnce(run: number, place: Place, onTaken: () => void): Promise<CallOutcome | undefined> {
    const { bus, offer, route } = this.#options;
    const journal = await this.#openJournal(run);
    /** What came while nobody could be told. */
    const events: CallEvent[] = [];
    let running: RunningProgram | undefined;
    const feed = await CallEventFeed.open(bus, offer.call, {
      onEvent: (event) => {
        this.#rememberMedia(event);
        if (running) running.deliver(event);
        else events.push(event);
      },
      onBadMessage: (error) => this.#log.warn({ err: error }, 'call.bad-event'),
    });
    try {
      onTaken();
      const entered = run === 1 ? 'call.claimed' : 'call.resumed';
      this.#log.info({ program: route.name, replayed: journal.before.length }, entered);
      running = await this.#start(place, journal, () => events.splice(0));
      for (const event of events.splice(0)) running.deliver(event);
      this.#running = running;
      if (this.#lost !== undefined) running.abandon(this.#lost);
      return await running.outcome;
    } finally {
      this.#running = undefined;
      feed.close();
      journal.close();
    }
  }

  async #openJournal(run: number): Promise<OpenJournal> {
    for (;;)
      try {
        return await openJournal(this.#options.bus, this.#options.offer.call, this.lease, run);
      } catch (error) {
        // At first the offer is not acknowledged yet: others may have it.
        if (run === 1 || error instanceof CallTakenOverError) throw error;
        if (this.#lost !== undefined) throw new CallTakenOverError(this.#lost);
        await wait(REOPEN_AFTER_MS);
      }
  }

  /** @param past takes the events so far: a program is told them before it begins */
  async #start(place: Place, journal: Journal, past: () => CallEvent[]): Promise<RunningProgram> {
    const { offer, lease, connectTimeoutMs, route, threads } = this.#options;
    const host = this.#hostWith(journal);
    const context: CallContext = {
      id: offer.call,
      pbx: offer.pbx,
      direction: 'inbound',
      caller: offer.caller,
      called: offer.called,
      args: offer.args,
      variables: offer.variables,
    };
    if (place instanceof Error) {
      const runtime = new CallRuntime(context, host);
      for (const event of past()) runtime.deliver(event);
      return {
        deliver: (event) => runtime.deliver(event),
        abandon: (why) => runtime.abandon(why),
        outcome: runtime.giveUp(place),
      };
    }
    const spec = () => ({
      program: route.name,
      context,
      app: offer.shard,
      connectTimeoutMs,
      epoch: lease.epoch,
      before: journal.before,
      events: past(),
    });
    return place === 'alone' ? threads.runAlone(spec, host) : threads.run(spec, host);
  }

  #hostWith(journal: Journal): CallHost {
    const { offer, lease, connectTimeoutMs } = this.#options;
    return {
      clock: wallClock,
      app: offer.shard,
      connectTimeoutMs,
      journal,
      epoch: lease.epoch,
      command: (id, request) => this.#gateway.command(id, request),
      openMedia: (session, provider, options, relay) => this.#relay.open(session, provider, options, relay),
      knownMedia: (session, relay) => this.#relay.known(session, relay),
      operation: (name, number, work) =>
        inSpan(name, { attributes: { 'callfleet.call': offer.call, 'callfleet.operation': number } }, work),
    };
  }

  #onClaimRefused(error: unknown): void {
    this.#log.warn({ err: error }, 'call.claim-refused');
    if (error instanceof CallTakenOverError) this.lose(error.message);
  }

  /** What a media session that ended by itself measured. */
  #rememberMedia(event: CallEvent): void {
    if (event.type !== 'media.ended') return;
    const ended = mediaEventSchemas.ended.safeParse(event.data);
    if (ended.success && !this.#relay.results.has(ended.data.session))
      this.#relay.results.set(ended.data.session, ended.data);
  }
}

/** @throws what a program's place has nothing to do with */
function placeAfter(place: Place, error: unknown): Place {
  if (error instanceof NoProgramThreadError) return error;
  if (!(error instanceof ThreadLostError)) throw error;
  if (!error.isSuspect) return place;
  if (place === 'shared') return 'alone';
  return new ProgramStuckError(`the program took its thread with it, alone there: ${error.message}`);
}
