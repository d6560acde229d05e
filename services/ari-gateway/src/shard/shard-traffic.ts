import { setTimeout as wait } from 'node:timers/promises';
import type { AriRequester } from '@callfleet/ari';
import { type Bus, type EventOutbox, KeptCalls, subjects, traceparentOf } from '@callfleet/bus';
import type { Config, PbxConfig } from '@callfleet/config';
import type { CallId } from '@callfleet/identity';
import type { LeaseRedis } from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import { within } from '../async/time-limit.ts';
import { CallOffers } from '../calls/call-offers.ts';
import { Cancellation } from '../calls/cancellation.ts';
import { CommandExecutor } from '../calls/command-executor.ts';
import { EventPublisher } from '../calls/event-publisher.ts';
import { type LiveCall, LiveCalls } from '../calls/live-call.ts';
import { Origination } from '../calls/origination.ts';
import { TrunkPlaces } from '../calls/trunk-places.ts';
import { WorkerWatch } from '../calls/worker-watch.ts';
import { CommandIntake } from '../commands/command-intake.ts';
import type { PbxGuard } from '../commands/pbx-guard.ts';
import { ChannelIndex, type IncomingEvent } from '../events/channel-index.ts';
import { MirrorSubscriptions } from '../mirror/mirror-subscriptions.ts';
import type { TwoSightings } from '../mirror/two-sightings.ts';
import { countRefusal } from '../telemetry/metrics.ts';
import type { AriWays } from './ari-ways.ts';
import { ShardEvents } from './shard-events.ts';
import { ShardReconciler } from './shard-reconciler.ts';

export interface ShardTrafficOptions {
  readonly bus: Bus;
  readonly redis: LeaseRedis;
  readonly outbox: EventOutbox;
  readonly gateway: string;
  readonly pbx: PbxConfig;
  readonly shard: string;
  readonly guard: PbxGuard;
  readonly settings: Config['gateway'];
  /** Another gateway may see what happens on the shard. */
  readonly isMirrored: () => boolean;
  readonly isWorkerGone: (worker: string, call?: CallId) => Promise<boolean>;
  /** Before each command: the process may have stood still. */
  readonly beforeCommand: () => void;
  readonly log: Logger;
}

const FORGET_EVERY_MS = 10_000;
/** How often a shard that drains looks whether it is through, milliseconds. */
const DRAIN_LOOK_MS = 250;
/** What workers have for the rest of calls that went back to the dialplan, milliseconds. */
const CLEAN_UP_MS = 5000;
/** The events of other shards go on meanwhile: those of this one are long published by then. */
const PUBLISH_WITHIN_MS = 1000;

/**
 * One shard's calls, and the two ways through them, whatever socket they go over: of events down to the bus, and of commands and
 * originations up to the PBX.
 */
export class ShardTraffic {
  readonly #options: ShardTrafficOptions;
  readonly #calls = new LiveCalls();
  readonly #kept: KeptCalls;
  readonly #offers: CallOffers;
  readonly #events: ShardEvents;
  readonly #reconciler: ShardReconciler;
  readonly #intake: CommandIntake;
  readonly #places: TrunkPlaces;
  readonly #origination: Origination;
  readonly #cancellation: Cancellation;
  readonly #workers: WorkerWatch;
  readonly #forgetting: NodeJS.Timeout;
  #isSuspended = false;
  #isDraining = false;

  constructor(options: ShardTrafficOptions, ways: AriWays) {
    const { bus, outbox, gateway, pbx, shard, guard, settings, log } = options;
    const calls = this.#calls;
    const where = { bus, gateway, pbx: pbx.name, shard, log };
    this.#options = options;
    const ari = guard.over(ways);
    const kept = new KeptCalls(bus, pbx.name, shard, (error) => log.warn({ err: error }, 'shard.call-not-kept'));
    const { zone, pool } = pbx;
    const offers = new CallOffers({ ...where, ari, kept, zone, pool, claimTimeoutMs: settings.claimTimeoutMs });
    const workers = new WorkerWatch({
      isGone: (worker) => options.isWorkerGone(worker),
      onLost: (call) => offers.offerAgain(call, 'worker-gone'),
    });
    const index = new ChannelIndex(pbx.name, shard);
    const publisher = new EventPublisher(index, gateway, calls, outbox);
    const mirror = new MirrorSubscriptions({ pbx: pbx.name, shard }, ari, options.isMirrored);
    const { redis } = options;
    const places = new TrunkPlaces({ redis, calls, trunks: pbx.trunks, keep: (call) => offers.keep(call), log });
    const onChannelEnded = (call: LiveCall, channelId: string) => places.leave(call, channelId);
    const events = new ShardEvents({ shard, ari, publisher, offers, mirror, onChannelEnded, log });
    this.#kept = kept;
    this.#offers = offers;
    this.#workers = workers;
    this.#events = events;
    this.#places = places;
    this.#origination = new Origination({
      ...where,
      pbx,
      calls,
      offers,
      places,
      isBroken: () => guard.isOpen('originate'),
      claimTimeoutMs: settings.claimTimeoutMs,
    });
    this.#cancellation = new Cancellation({ ...where, calls, offers, publisher });
    const { isWorkerGone } = options;
    const { strayAfterMs } = settings;
    const http: AriRequester = { request: (request, requestOptions) => ways.slow.request(request, requestOptions) };
    this.#reconciler = new ShardReconciler({
      ...where,
      ...{ kept, http, index, calls, events, offers, workers, isWorkerGone, strayAfterMs },
    });
    const executor = this.#executor(ari);
    this.#intake = new CommandIntake(bus, subjects.commands(pbx.name, shard), async (command, trace) => {
      options.beforeCommand();
      return countRefusal(this.#isSuspended ? NOT_HELD : await executor.execute(command, trace));
    });
    this.#forgetting = setInterval(() => calls.forgetEnded(Date.now()), FORGET_EVERY_MS);
  }

  #executor(ari: AriRequester): CommandExecutor {
    const { pbx, shard, settings, log } = this.#options;
    return new CommandExecutor({
      pbx: pbx.name,
      shard,
      calls: this.#calls,
      places: this.#places,
      ari,
      timeoutMs: settings.commandTimeoutMs,
      onClaimed: (call, worker, program, trace) => {
        this.#offers.settle(call, 'claimed');
        call.claimedBy(worker, program);
        // Without its program another worker says whose the call is.
        if (program) call.ownerTrace = traceparentOf(trace);
        this.#workers.watch(worker, call);
        this.#offers.keep(call);
      },
      onDone: (call) => {
        call.worker = undefined;
        call.isDone = true;
        this.#offers.leave(call);
      },
      onReleased: (call) => this.#offers.offerAgain(call, 'worker-stops'),
      log,
    });
  }

  /** Calls that have not ended. */
  get live(): number {
    return this.#calls.live;
  }

  /** An event of the shard, down to the bus. */
  handle(event: IncomingEvent): void {
    this.#events.handle(event);
  }

  /** Finds out which channel is of which call, before the shard is ours. */
  async learnChannels(): Promise<void> {
    await this.#reconciler.learnChannels();
  }

  /** Compares what the PBX has with what is known of it, and mends the difference. */
  async reconcile(signal: AbortSignal, sightings: TwoSightings | undefined): Promise<void> {
    await this.#reconciler.reconcile(signal, sightings);
    this.#places.keepAll();
  }

  takeCommands(): void {
    if (this.#isSuspended) return;
    this.#intake.start();
    this.#cancellation.start();
  }

  takeOriginations(): void {
    if (!this.#isSuspended && !this.#isDraining) this.#origination.start();
  }

  #pause(): void {
    this.#intake.stop();
    this.#cancellation.stop();
    this.#origination.stop();
  }

  /** No socket stands: with the next one it is reconciled. */
  disconnected(): void {
    this.#events.disconnected();
    this.#pause();
  }

  /** Takes no commands until `resume`: the shard may be another's. */
  suspend(): void {
    this.#isSuspended = true;
    this.#pause();
  }

  resume(): void {
    this.#isSuspended = false;
  }

  /**
   * Takes no new calls: they go back to the dialplan. Resolves when those that are there are over and cleaned up after; what is left
   * after `limitMs` goes back to the dialplan too. Ends early on `signal`.
   */
  async drain(limitMs: number, signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    this.#origination.stop();
    this.#offers.refuseNew();
    await this.#idle(limitMs, signal);
    const left = signal.aborted ? [] : this.#calls.unended();
    if (left.length === 0) return;
    this.#options.log.warn({ calls: left.length }, 'shard.drain-limit');
    const sent = Promise.all(left.map((call) => this.#offers.sendBack(call)));
    await Promise.race([sent, wait(CLEAN_UP_MS, undefined, { signal }).catch(() => {})]);
    await this.#idle(CLEAN_UP_MS, signal);
  }

  /** No call is up, and no worker has anything left to do for one. */
  async #idle(limitMs: number, signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
    while (this.#calls.busy > 0 && !limit.aborted)
      await wait(DRAIN_LOOK_MS, undefined, { signal: limit }).catch(() => {});
  }

  /** Takes no more commands, and carries out those it has. @throws when they take too long */
  async finishCommands(): Promise<void> {
    this.suspend();
    const limitMs = 2 * this.#options.settings.commandTimeoutMs;
    await within(limitMs, this.#intake.drained(), 'commands are still under way');
  }

  /** Resolves when all that was handled is on the bus, or soon. */
  async publishAll(): Promise<void> {
    const published = Promise.all([this.#options.outbox.flushed(), this.#kept.flushed()]);
    await Promise.race([published, wait(PUBLISH_WITHIN_MS)]);
  }

  close(): void {
    clearInterval(this.#forgetting);
    this.#offers.close();
    this.#workers.close();
    this.#places.close();
    this.#kept.close();
  }
}

const NOT_HELD = { ok: false, code: 'CF_SHARD_NOT_HELD', message: 'it is to be seen who has the shard' } as const;
