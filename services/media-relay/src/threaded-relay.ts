import { AsyncLocalStorage } from 'node:async_hooks';
import type { RelayAnnouncement, RelayReply, RelayRequest } from '@callfleet/bus';
import { Admission } from '@callfleet/telemetry/thread';
import { RelayError } from './errors.ts';
import type { SessionEvent } from './media-session.ts';
import { refusalOf } from './refusal.ts';
import { MAX_REMEMBERED, type RelayOptions, unknownSession } from './relay.ts';

/** A thread with sessions, as it is asked. */
export interface RelayThread {
  /** Its event loop is late. */
  readonly isLate: boolean;
  /** Never throws: a refusal is a reply. */
  ask(request: RelayRequest): Promise<RelayReply>;
  /** Ends its sessions. Resolves when all that they had to tell was told. */
  stop(): Promise<void>;
}

export interface ThreadedRelayOptions
  extends Pick<RelayOptions, 'relay' | 'zone' | 'maxSessions' | 'maxEventLoopDelayMs' | 'log' | 'events' | 'onChange'> {
  readonly threads: readonly RelayThread[];
}

/** Where a session is that has not ended. */
interface Place {
  readonly thread: RelayThread;
  /** In the trace of the request that opened it. */
  readonly tell: (event: SessionEvent) => void;
  isOpen: boolean;
  /** Requests to open it that are not answered yet. */
  opening: number;
}

/** One relay to the outside, whose sessions are in several threads: knows which is where, and gives a new one to the emptiest. */
export class ThreadedRelay {
  readonly #options: ThreadedRelayOptions;
  readonly #places = new Map<string, Place>();
  /** Sessions of each thread that have not ended. */
  readonly #load: Map<RelayThread, number>;
  /** Where those were that have, for as long as their threads remember what they measured. */
  readonly #ended = new Map<string, RelayThread>();
  readonly #admission: Admission;
  #sessions = 0;
  #draining = false;

  constructor(options: ThreadedRelayOptions) {
    this.#options = options;
    this.#load = new Map(options.threads.map((thread) => [thread, 0]));
    this.#admission = new Admission(options.maxEventLoopDelayMs);
  }

  get announcement(): RelayAnnouncement {
    const { relay, zone, maxSessions } = this.#options;
    return { relay, zone, sessions: this.#sessions, maxSessions, draining: this.#draining, late: this.isLate };
  }

  /** This thread is, which everything goes through that is not audio, or all of the others are. */
  get isLate(): boolean {
    return !this.#admission.isOpen || this.#options.threads.every(({ isLate }) => isLate);
  }

  /** To be told each second. @param delayMs of this thread's event loop, the longest since it was told last */
  measure(delayMs: number): void {
    const change = this.#admission.measure(delayMs);
    if (!change) return;
    const { log, maxEventLoopDelayMs: limitMs, onChange } = this.#options;
    log.warn({ delayMs: Math.round(delayMs), limitMs, sessions: this.#sessions }, `sessions.${change}`);
    onChange();
  }

  /** Never throws: a refusal is a reply. */
  async handle(request: RelayRequest): Promise<RelayReply> {
    try {
      if (request.op === 'open') return await this.#open(request);
      const thread = this.#places.get(request.session)?.thread ?? this.#ended.get(request.session);
      if (!thread) throw unknownSession(request.session);
      return await thread.ask(request);
    } catch (error) {
      return refusalOf(error, request, this.#options.log);
    }
  }

  /** What a session told in its thread. */
  tell(session: string, event: SessionEvent): void {
    const place = this.#places.get(session);
    place?.tell(event);
    if (place && event.type === 'ended') this.#end(session, place);
  }

  /** Takes nothing new, ends what there is, and resolves when all of it is closed. */
  async stop(): Promise<void> {
    this.#draining = true;
    this.#options.onChange();
    await Promise.all(this.#options.threads.map((thread) => thread.stop()));
  }

  async #open(request: Extract<RelayRequest, { op: 'open' }>): Promise<RelayReply> {
    const { session } = request;
    const thread = this.#ended.get(session);
    if (thread) return thread.ask(request);
    const place = this.#places.get(session) ?? this.#newPlace(request);
    place.opening += 1;
    const reply = await place.thread.ask(request);
    place.opening -= 1;
    if (reply.ok) place.isOpen = true;
    // It never opened, so it has not ended either: it may be asked for again, and elsewhere.
    if (!place.isOpen && place.opening === 0 && this.#places.get(session) === place) this.#leave(session, place);
    return reply;
  }

  #newPlace({ call, session }: Extract<RelayRequest, { op: 'open' }>): Place {
    const { events, maxSessions, relay } = this.#options;
    if (this.#draining) throw new RelayError('CF_RELAY_DRAINING', `relay ${relay} is about to stop`);
    if (this.#sessions >= maxSessions)
      throw new RelayError('CF_RELAY_FULL', `relay ${relay} has its ${maxSessions} sessions (relay.maxSessions)`);
    const publish = events(call, session);
    const inTrace = AsyncLocalStorage.snapshot();
    const place: Place = {
      thread: this.#emptiest(),
      tell: (event) => inTrace(() => publish(event)),
      isOpen: false,
      opening: 0,
    };
    this.#places.set(session, place);
    this.#count(place.thread, 1);
    return place;
  }

  /** One that is late only when all are. */
  #emptiest(): RelayThread {
    const { threads } = this.#options;
    const inTime = threads.filter(({ isLate }) => !isLate);
    const load = (thread: RelayThread) => this.#load.get(thread) ?? 0;
    return (inTime.length > 0 ? inTime : threads).reduce((best, thread) => (load(thread) < load(best) ? thread : best));
  }

  #end(session: string, place: Place): void {
    this.#ended.set(session, place.thread);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= MAX_REMEMBERED * this.#options.threads.length) break;
      this.#ended.delete(oldest);
    }
    this.#leave(session, place);
  }

  #leave(session: string, place: Place): void {
    this.#places.delete(session);
    this.#count(place.thread, -1);
  }

  #count(thread: RelayThread, change: 1 | -1): void {
    this.#load.set(thread, (this.#load.get(thread) ?? 0) + change);
    this.#sessions += change;
    this.#options.onChange();
  }
}
