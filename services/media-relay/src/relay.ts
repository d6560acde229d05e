import type { MediaStats, RelayAnnouncement, RelayReply, RelayRequest } from '@callfleet/bus';
import type { CallId } from '@callfleet/identity';
import type { PacingClock, TimeSource } from '@callfleet/media';
import type { Logger } from '@callfleet/telemetry';
import { Admission } from '@callfleet/telemetry/thread';
import { providerNamed } from '@callfleet/voice-ai';
import { RelayError } from './errors.ts';
import { MediaSession, type SessionEvent } from './media-session.ts';
import { refusalOf } from './refusal.ts';
import type { MediaTransport, TransportListener } from './transport.ts';

export interface RelayOptions {
  /** Its name on the bus. */
  relay: string;
  zone: string;
  maxSessions: number;
  attachTimeoutMs: number;
  mediaTimeoutMs: number;
  watch: { firstAudioMs: number };
  /** While its event loop is later than this for some seconds, it takes no new sessions. */
  maxEventLoopDelayMs: number;
  clock: PacingClock;
  time: TimeSource;
  log: Logger;
  /** @throws RelayError CF_PBX_UNKNOWN */
  transport: (pbx: string, listener: TransportListener) => MediaTransport;
  /** Where a new session's events go. Called while the request that opens it is handled, so in its trace. */
  events: (call: CallId, session: string) => (event: SessionEvent) => void;
  /** Called when it has more or less room than before, or begins to drain. */
  onChange: () => void;
}

interface Entry {
  readonly session: MediaSession;
  readonly opened: ReturnType<MediaSession['open']>;
  /** The highest that was seen: a worker that lost the call must not end it. */
  epoch: number;
}

/** Ended sessions whose measurements are kept, for a worker that asks late or again. */
export const MAX_REMEMBERED = 1000;

type RequestFor<Op extends RelayRequest['op']> = Extract<RelayRequest, { op: Op }>;

/** The media sessions of one relay. Each request is idempotent by its session. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #sessions = new Map<string, Entry>();
  readonly #remembered = new Map<string, MediaStats>();
  readonly #admission: Admission;
  #draining = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#admission = new Admission(options.maxEventLoopDelayMs);
  }

  get announcement(): RelayAnnouncement {
    const { relay, zone, maxSessions } = this.#options;
    const { isLate: late } = this;
    return { relay, zone, sessions: this.#sessions.size, maxSessions, draining: this.#draining, late };
  }

  /** Its event loop is late: what it has suffers, and more would be worse. */
  get isLate(): boolean {
    return !this.#admission.isOpen;
  }

  /** To be told each second. @param delayMs of its event loop, the longest since it was told last */
  measure(delayMs: number): void {
    const change = this.#admission.measure(delayMs);
    if (!change) return;
    const { log, maxEventLoopDelayMs: limitMs, onChange } = this.#options;
    log.warn({ delayMs: Math.round(delayMs), limitMs, sessions: this.#sessions.size }, `sessions.${change}`);
    onChange();
  }

  /** Never throws: a refusal is a reply. */
  async handle(request: RelayRequest): Promise<RelayReply> {
    try {
      return await this.#dispatch(request);
    } catch (error) {
      return refusalOf(error, request, this.#options.log);
    }
  }

  /** Takes nothing new, ends what there is, and resolves when all of it is closed. */
  async stop(): Promise<void> {
    this.#draining = true;
    this.#options.onChange();
    await Promise.all([...this.#sessions.values()].map(({ session }) => session.close('relay-stopped')));
  }

  #dispatch(request: RelayRequest): Promise<RelayReply> {
    switch (request.op) {
      case 'open':
        return this.#open(request);
      case 'attach':
        return this.#attach(request);
      case 'tool-result':
        return this.#order(request, (session) => session.toolResult(request.id, request.result));
      case 'say':
        return this.#order(request, (session) => session.say(request.id, request.text));
      case 'digit':
        return this.#order(request, (session) => session.digit(request.id, request.key));
      case 'private':
        return this.#order(request, (session) => session.setPrivate(request.on));
      case 'close':
        return this.#close(request);
    }
  }

  async #open(request: RequestFor<'open'>): Promise<RelayReply> {
    const entry = this.#entryFor(request) ?? this.#newEntry(request);
    return { ok: true, externalMedia: await entry.opened };
  }

  async #attach(request: RequestFor<'attach'>): Promise<RelayReply> {
    const entry = this.#entryFor(request);
    if (!entry) throw unknownSession(request.session);
    await entry.session.attach(request.channelVariables);
    return { ok: true };
  }

  async #order(request: RelayRequest, carryOut: (session: MediaSession) => void): Promise<RelayReply> {
    const entry = this.#entryFor(request);
    if (!entry) throw unknownSession(request.session);
    carryOut(entry.session);
    return { ok: true };
  }

  async #close(request: RequestFor<'close'>): Promise<RelayReply> {
    const entry = this.#entryFor(request);
    await entry?.session.close('closed', request.reason);
    const stats = this.#remembered.get(request.session);
    if (!stats) throw unknownSession(request.session);
    return { ok: true, stats };
  }

  #entryFor({ session, epoch }: RelayRequest): Entry | undefined {
    const entry = this.#sessions.get(session);
    if (!entry) return undefined;
    if (epoch < entry.epoch)
      throw new RelayError(
        'CF_RELAY_FENCED',
        `epoch ${epoch} is older than ${entry.epoch}: another worker has the call`,
      );
    entry.epoch = epoch;
    return entry;
  }

  #newEntry(request: RequestFor<'open'>): Entry {
    const { call, session: id, epoch, pbx } = request;
    const { attachTimeoutMs, clock, events, maxSessions, mediaTimeoutMs, relay, time, transport, watch } =
      this.#options;
    if (this.#draining) throw new RelayError('CF_RELAY_DRAINING', `relay ${relay} is about to stop`);
    if (this.#remembered.has(id)) throw unknownSession(id);
    if (this.#sessions.size >= maxSessions)
      throw new RelayError('CF_RELAY_FULL', `relay ${relay} has its ${maxSessions} sessions (relay.maxSessions)`);

    const publish = events(call, id);
    const session = new MediaSession({
      call,
      provider: providerNamed(request.provider.name, request.provider.options),
      history: request.history,
      transport: (listener) => transport(pbx, listener),
      clock,
      time,
      attachTimeoutMs,
      mediaTimeoutMs,
      firstAudioMs: watch.firstAudioMs,
      tell: (event) => {
        publish(event);
        if (event.type === 'ended') this.#onEnded(id, event.stats);
      },
    });
    const entry: Entry = { session, epoch, opened: session.open() };
    this.#sessions.set(id, entry);
    this.#options.onChange();
    // A session that never opened has not ended either: nobody is told, and it may be asked for again.
    entry.opened.catch(() => this.#forget(id, entry));
    return entry;
  }

  #forget(id: string, entry: Entry): void {
    if (this.#sessions.get(id) !== entry) return;
    this.#sessions.delete(id);
    this.#options.onChange();
  }

  #onEnded(id: string, stats: MediaStats): void {
    this.#sessions.delete(id);
    this.#remembered.set(id, stats);
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= MAX_REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
    this.#options.onChange();
  }
}

export function unknownSession(session: string): RelayError {
  return new RelayError('CF_SESSION_UNKNOWN', `there is no media session ${session}, or it has ended`);
}
