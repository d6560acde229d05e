import { setTimeout as wait } from 'node:timers/promises';
import {
  type Bus,
  type CallEvent,
  CallEventFeed,
  type Offer,
  type ProgramVersion,
  writeCallRecord,
} from '@callfleet/bus';
import { type CallContext, CallTakenOverError, ProgramStuckError } from '@callfleet/calls';
import { type CallHost, type CallOutcome, CallRuntime, type Journal } from '@callfleet/calls/runtime';
import type { CallId } from '@callfleet/identity';
import type { Lease } from '@callfleet/leases';
import { inSpan, type Logger } from '@callfleet/telemetry';
import { type Span, SpanKind, trace } from '@opentelemetry/api';
import { workerRecordOf } from './call-record.ts';
import { wallClock } from './clock.ts';
import { GatewayClient, type MayAct } from './gateway-client.ts';
import { type OpenJournal, openJournal } from './journal.ts';
import { MediaLedger } from './media-ledger.ts';
import { countEnded } from './metrics.ts';
import { type ProgramRoute, versionOf } from './program-routes.ts';
import { NoProgramThreadError, type ProgramPlaces } from './program-threads.ts';
import { RelayClient } from './relay-client.ts';
import type { RelayDirectory } from './relay-directory.ts';
import type { RelayWatch } from './relay-watch.ts';
import type { Standing } from './standing.ts';
import { type RunningProgram, ThreadLostError } from './supervised-thread.ts';

export interface ClaimedCallOptions {
  readonly bus: Bus;
  readonly relays: RelayDirectory;
  readonly relayWatch: Pick<RelayWatch, 'watch'>;
  readonly offer: Offer;
  readonly lease: Lease;
  readonly route: ProgramRoute;
  readonly threads: ProgramPlaces;
  readonly standing: Standing;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxCallMs: number;
  readonly maxAfterCallMs: number;
  readonly log: Logger;
}

/** Where a call's program runs next; an error: nowhere, the call is given back for it. */
type Place = 'shared' | 'alone' | Error;

interface Ended {
  readonly outcome: CallOutcome;
  readonly workers: readonly string[];
}

/** NATS may be away just when a call has lost its thread, milliseconds. */
const REOPEN_AFTER_MS = 250;

/** One call in this worker's hands, from its lease to its record. */
export class ClaimedCall {
  readonly #options: ClaimedCallOptions;
  readonly #log: Logger;
  readonly #gateway: GatewayClient;
  readonly #relay: RelayClient;
  readonly #ledger = new MediaLedger();
  /** Aborted when the call is not this worker's any more, or over. */
  readonly #part = new AbortController();
  #running: RunningProgram | undefined;
  /** What an earlier run still does is nobody's concern. */
  #run = 0;
  #isClaimed = false;
  #isHandedOver = false;

  constructor(options: ClaimedCallOptions) {
    const { bus, offer, lease, relays, commandTimeoutMs } = options;
    const where = { id: offer.call, pbx: offer.pbx, shard: offer.shard, zone: offer.zone };
    this.#options = options;
    this.#log = options.log.child({ call: offer.call, epoch: lease.epoch });
    const mayAct: MayAct = (withinMs) => options.standing.certain(this.#part.signal, withinMs);
    this.#gateway = new GatewayClient(bus, where, lease, commandTimeoutMs, mayAct, this.#part.signal);
    this.#relay = new RelayClient({
      ...{ bus, directory: relays, call: where, epoch: lease.epoch, mayAct, over: this.#part.signal },
      watch: options.relayWatch,
      ledger: this.#ledger,
      onLost: (session) => this.#running?.deliver(mediaLost(offer.call, session)),
    });
  }

  /**
   * Tells the gateway whose the call is, reads what was missed, runs the program to its end, and writes the record.
   *
   * @param onClaimed the gateway knows whose the call is, and watches over it: its offer is of no use any more
   * @returns false when the call is another worker's by then
   */
  async run(onClaimed: () => void): Promise<boolean> {
    const { bus, offer, route } = this.#options;
    const claimed = this.claim(onClaimed);
    try {
      const ended = await this.#runToEnd(claimed);
      await claimed;
      if (!ended) {
        this.#log.info({ reason: whyOf(this.#part.signal) }, 'call.lost');
        return false;
      }
      const { outcome, workers } = ended;
      const record = workerRecordOf(offer, {
        program: versionOf(route),
        workers,
        status: this.#gateway.status,
        outcome,
        ledger: this.#ledger,
      });
      await writeCallRecord(bus, record);
      countEnded(route.name, record.endedBy);
      await this.#gateway.done().catch((error: unknown) => this.#log.warn({ err: error }, 'call.done-not-told'));
      const { endedBy, error } = outcome;
      if (error) this.#log.warn({ endedBy, error }, 'call.ended');
      else this.#log.info({ endedBy }, 'call.ended');
      return true;
    } finally {
      this.#part.abort(new CallTakenOverError('it is over'));
    }
  }

  /** Tells the gateway that the call is this worker's, and run by this program. */
  async claim(onClaimed: () => void = () => {}): Promise<void> {
    try {
      const attributes = { 'callfleet.call': this.#options.offer.call, 'callfleet.epoch': this.lease.epoch };
      await inSpan('claim', { kind: SpanKind.CLIENT, attributes }, () =>
        this.#tellOwner(versionOf(this.#options.route)),
      );
      this.#isClaimed = true;
      onClaimed();
    } catch (error) {
      this.#log.warn({ err: error }, 'call.claim-refused');
    }
  }

  /** The gateway relies on this worker: nobody else is offered the call. */
  get isClaimed(): boolean {
    return this.#isClaimed;
  }

  /** Tells the gateway that the call is its lease's owner's, whatever program that one runs. */
  tellOwner(): Promise<void> {
    return this.#tellOwner().catch((error: unknown) => this.#log.warn({ err: error }, 'call.claim-refused'));
  }

  /** It is over for all workers: the gateway has given it back, or written its record. */
  get isGivenBack(): boolean {
    return this.#gateway.isGivenBack;
  }

  get lease(): Lease {
    return this.#options.lease;
  }

  /** Another worker has it: this one's part is over. */
  lose(why: string): void {
    this.#part.abort(new CallTakenOverError(why));
    this.#running?.abandon(why);
  }

  /** Stops acting for the call, and has it offered to the other workers. They go on where this one stood. */
  async handOver(freeLease: (lease: Lease) => Promise<unknown>): Promise<void> {
    if (this.#isHandedOver) return;
    this.#isHandedOver = true;
    this.lose('this worker stops');
    await freeLease(this.lease);
    await this.#gateway.release().catch((error: unknown) => {
      // Who has it already need not be given it.
      if (!(error instanceof CallTakenOverError)) this.#log.error({ err: error }, 'call.not-handed-over');
    });
  }

  /**
   * As often as the program loses its thread, with the same lease: nobody else notices.
   *
   * @returns undefined when the call is another worker's by then
   */
  async #runToEnd(claimed: Promise<void>): Promise<Ended | undefined> {
    let place: Place = 'shared';
    for (let run = 1; ; run += 1)
      try {
        return await this.#runOnce(run, place, claimed);
      } catch (error) {
        if (error instanceof CallTakenOverError) return undefined;
        place = placeAfter(place, error);
        if (this.#part.signal.aborted) return undefined;
        const fields = { reason: (error as Error).message, next: place instanceof Error ? 'given back' : place };
        this.#log[place === 'shared' ? 'info' : 'warn'](fields, 'call.thread-lost');
      }
  }

  async #runOnce(run: number, place: Place, claimed: Promise<void>): Promise<Ended | undefined> {
    const { bus, offer, route } = this.#options;
    const span = trace.getActiveSpan();
    this.#run = run;
    /** What came while nobody could be told. */
    const events: CallEvent[] = [];
    let running: RunningProgram | undefined;
    // Both are read at once: the caller waits for it.
    const [journal, feed] = await bothOpen(
      this.#openJournal(run, claimed),
      CallEventFeed.open(bus, offer.call, {
        onEvent: (event) => {
          this.#ledger.hear(event);
          this.#gateway.hear(event);
          // What an earlier owner, or run, was told is in its trace already.
          if (running || (run === 1 && this.lease.epoch === 1)) noteKey(span, event);
          if (running) running.deliver(event);
          else events.push(event);
        },
        onBadMessage: (error) => this.#log.warn({ err: error }, 'call.bad-event'),
      }),
    );
    try {
      const { name, version } = route;
      const entered = run === 1 ? 'call.claimed' : 'call.resumed';
      this.#log.info({ program: name, version, replayed: journal.before.length }, entered);
      running = await this.#start(place, journal, () => events.splice(0));
      for (const event of events.splice(0)) running.deliver(event);
      this.#running = running;
      if (this.#part.signal.aborted) running.abandon(whyOf(this.#part.signal));
      const outcome = await running.outcome;
      return outcome && { outcome, workers: journal.workers };
    } finally {
      this.#running = undefined;
      this.#run = 0;
      feed.close();
      journal.close();
    }
  }

  async #openJournal(run: number, claimed: Promise<void>): Promise<OpenJournal> {
    const { bus, offer, lease, standing } = this.#options;
    const mayAppend = () => standing.certain(this.#part.signal);
    for (;;)
      try {
        return await openJournal(bus, offer, lease, run, claimed, mayAppend);
      } catch (error) {
        // Until the claim is answered the offer is not acknowledged: others may have it.
        if (!this.#isClaimed || error instanceof CallTakenOverError) throw error;
        if (this.#part.signal.aborted) throw this.#part.signal.reason;
        await wait(REOPEN_AFTER_MS);
      }
  }

  /** @param past takes the events so far: a program is told them before it begins */
  async #start(place: Place, journal: Journal, past: () => CallEvent[]): Promise<RunningProgram> {
    const { offer, lease, connectTimeoutMs, maxCallMs, maxAfterCallMs, route, threads } = this.#options;
    const host = this.#hostWith(journal);
    const context: CallContext = {
      id: offer.call,
      pbx: offer.pbx,
      direction: offer.dial ? 'outbound' : 'inbound',
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
      program: versionOf(route),
      context,
      app: offer.shard,
      dial: offer.dial,
      connectTimeoutMs,
      maxCallMs,
      maxAfterCallMs,
      epoch: lease.epoch,
      before: journal.before,
      events: past(),
    });
    return place === 'alone' ? threads.runAlone(spec, host) : threads.run(spec, host);
  }

  #hostWith({ before, append }: Journal): CallHost {
    const { offer, lease, connectTimeoutMs, maxCallMs, maxAfterCallMs } = this.#options;
    const run = this.#run;
    const passOn = (error: unknown) => this.#passOn(error, run);
    return {
      clock: wallClock,
      app: offer.shard,
      dial: offer.dial,
      connectTimeoutMs,
      maxCallMs,
      maxAfterCallMs,
      journal: { before, append: (entry) => append(entry).catch(passOn) },
      epoch: lease.epoch,
      command: (id, request) => this.#gateway.command(id, request).catch(passOn),
      openMedia: (session, provider, request) => this.#relay.open(session, provider, request),
      knownMedia: (session, relay) => this.#relay.known(session, relay),
      operation: (name, number, work) =>
        inSpan(
          name,
          { attributes: { 'callfleet.call': offer.call, 'callfleet.operation': number, ...toolOf(name) } },
          work,
        ),
    };
  }

  #tellOwner(program?: ProgramVersion): Promise<void> {
    return this.#gateway.claim(program).catch((error: unknown) => this.#passOn(error, this.#run));
  }

  /** Also what is under way must not go on: it would take down what the next owner needs. */
  #passOn(error: unknown, run: number): never {
    if (error instanceof CallTakenOverError && run === this.#run) this.lose(error.message);
    throw error;
  }
}

/** @throws what the first throws, or else the second; then neither is open */
async function bothOpen<A extends { close(): void }, B extends { close(): void }>(
  first: Promise<A>,
  second: Promise<B>,
): Promise<[A, B]> {
  const opened = await Promise.allSettled([first, second]);
  try {
    return await Promise.all([first, second]);
  } catch (error) {
    for (const one of opened) if (one.status === 'fulfilled') one.value.close();
    throw error;
  }
}

const TOOL_STEP = 'step tool ';

/** OpenTelemetry's words for what an AI wanted done. */
function toolOf(operation: string): Record<string, string> {
  if (!operation.startsWith(TOOL_STEP)) return {};
  return { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': operation.slice(TOOL_STEP.length) };
}

/** That somebody pressed a key, never which. */
function noteKey(span: Span | undefined, { type, at, data }: CallEvent): void {
  if (type !== 'ari.ChannelDtmfReceived') return;
  const { duration_ms } = data as { duration_ms?: number };
  span?.addEvent('dtmf', { 'callfleet.digit': '*', 'callfleet.duration_ms': duration_ms }, new Date(at));
}

/** Of this worker alone: whoever has the call next notices by itself. */
function mediaLost(call: CallId, session: string): CallEvent {
  const at = new Date().toISOString();
  return { id: `${session} lost`, call, source: 'worker', seq: 1, at, type: 'media.lost', data: { session } };
}

function whyOf({ reason }: AbortSignal): string {
  return reason instanceof CallTakenOverError ? reason.why : String(reason);
}

/** @throws what a program's place has nothing to do with */
function placeAfter(place: Place, error: unknown): Place {
  if (error instanceof NoProgramThreadError) return error;
  if (!(error instanceof ThreadLostError)) throw error;
  if (!error.isSuspect) return place;
  if (place === 'shared') return 'alone';
  return new ProgramStuckError(`the program took its thread with it, alone there: ${error.message}`);
}
