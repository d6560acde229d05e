import type { ExternalMedia, MediaEnded, MediaStats, Spoken } from '@callfleet/bus';
import { type PacingClock, PlayoutBuffer, type TimeSource } from '@callfleet/media';
import { type VoiceEvent, type VoiceProvider, VoiceProviderError, type VoiceSession } from '@callfleet/voice-ai';
import { RelayError } from './errors.ts';
import { FirstAudioWatch } from './first-audio-watch.ts';
import { HeardAudio } from './heard-audio.ts';
import type { MediaTransport, TransportListener } from './transport.ts';
import { UsageSum } from './usage-sum.ts';

/**
 * - `WAITING`: there is room; the provider connects, and the PBX makes the leg.
 * - `ATTACHED`: we send to the PBX; it was not heard yet.
 * - `TALKING`: audio flows in both directions.
 * - `ENDED`: everything is closed, or about to be.
 */
export type MediaSessionState = 'WAITING' | 'ATTACHED' | 'TALKING' | 'ENDED';

export type EndReason = MediaEnded['reason'];

/** What a session tells its relay. `ended` is the last. */
export type SessionEvent =
  | { readonly type: 'started'; readonly provider: string }
  | Exclude<VoiceEvent, { type: 'ended' | 'failed' | 'usage' }>
  | {
      readonly type: 'ended';
      readonly reason: EndReason;
      readonly detail: string | undefined;
      /** Of a provider that failed. */
      readonly code?: VoiceProviderError['code'] | undefined;
      readonly stats: MediaStats;
    };

export interface MediaSessionOptions {
  call: string;
  transport: (listener: TransportListener) => MediaTransport;
  provider: VoiceProvider;
  clock: PacingClock;
  time: TimeSource;
  /** Without a leg for so long, it ends. */
  attachTimeoutMs: number;
  /** Without a packet from the PBX for so long, it ends. Some endpoints send nothing while their side is silent. */
  mediaTimeoutMs: number;
  /** A provider that says nothing for so long when it should has failed. 0: it may be silent. */
  firstAudioMs: number;
  tell(event: SessionEvent): void;
  /** What was said in the session that this one goes on for. */
  history?: readonly Spoken[] | undefined;
}

/**
 * The bot's first words wait until the PBX is heard, since that is when the leg is in its bridge: what is sent before is lost, and
 * the greeting clipped. A caller who sends nothing is greeted after this time, milliseconds.
 */
const GREETING_HOLD_MS = 500;

/** A provider that cannot hear by then has failed, milliseconds. */
const PROVIDER_OPEN_LIMIT_MS = 10_000;

/** One call's audio: carries it between a PBX and a provider, and watches over both. */
export class MediaSession {
  readonly #options: MediaSessionOptions;
  readonly #transport: MediaTransport;
  readonly #playout: PlayoutBuffer;
  /** Played while the greeting waits. */
  readonly #silence: PlayoutBuffer;
  readonly #heard: HeardAudio;
  readonly #usage = new UsageSum();
  readonly #firstAudio: FirstAudioWatch;
  readonly #ending = new AbortController();
  readonly #openedAt: number;
  #state: MediaSessionState = 'WAITING';
  #voice: VoiceSession | undefined;
  readonly #answeredTools = new Set<string>();
  readonly #said = new Set<string>();
  readonly #keys = new Set<string>();
  /** Some legs carry keys, and the call's events tell them too: whoever tells the first. */
  #keysFrom: 'leg' | 'call' | undefined;
  #isPrivate = false;
  /** Until the provider is ready. */
  readonly #toSay: string[] = [];
  #attaching: Promise<void> | undefined;
  #attachedAt = 0;
  #talkingSince: number | undefined;
  #lastHeardAt = 0;
  /** Audio that the transport had sent and then made the PBX forget. */
  #unsentMs = 0;
  /** Why the provider ended the conversation; what it said last is played to its end first. */
  #farewell: string | undefined;
  #cancelAttachTimer: () => void = () => {};
  #stopTicks: () => void = () => {};
  #closing: Promise<void> = Promise.resolve();
  #finalStats: MediaStats | undefined;

  constructor(options: MediaSessionOptions) {
    this.#options = options;
    this.#transport = options.transport({
      heard: (frame) => this.#onHeard(frame),
      digit: (key) => this.#onKey('leg', key),
      lost: (detail) => this.#end('media-lost', detail),
    });
    this.#playout = new PlayoutBuffer(this.#transport.format);
    this.#silence = new PlayoutBuffer(this.#transport.format);
    this.#heard = new HeardAudio(this.#transport.format);
    this.#openedAt = options.time.now();
    const { provider, history = [], firstAudioMs, time } = options;
    this.#firstAudio = new FirstAudioWatch({
      limitMs: firstAudioMs,
      // One that goes on for another greets nobody.
      owes: provider.owes === 'greeting' && history.length > 0 ? 'answer' : provider.owes,
      time,
      onSilent: (why) => this.#end('provider-failed', `${provider.name} ${why}`, 'CF_PROVIDER_TIMEOUT'),
    });
  }

  get state(): MediaSessionState {
    return this.#state;
  }

  /** What was measured so far, or until the end. */
  get stats(): MediaStats {
    return this.#finalStats ?? this.#measure();
  }

  /** Makes room, and connects the provider meanwhile. @throws RelayError CF_RELAY_PORTS_EXHAUSTED, CF_SESSION_UNKNOWN */
  async open(): Promise<ExternalMedia> {
    const { attachTimeoutMs, time } = this.#options;
    const externalMedia = await this.#transport.open().catch((error: unknown) => {
      this.#state = 'ENDED';
      throw error;
    });
    if (this.#ending.signal.aborted) {
      await this.#transport.close();
      throw ended();
    }
    this.#cancelAttachTimer = time.after(attachTimeoutMs, () =>
      this.#end('never-attached', `no leg within ${attachTimeoutMs} ms`),
    );
    void this.#openProvider();
    return externalMedia;
  }

  /** Repeats get the answer of the first; after a failure it may be tried again. @throws RelayError */
  async attach(channelVariables: Readonly<Record<string, string>>): Promise<void> {
    if (this.#state === 'ENDED') throw ended();
    this.#attaching ??= this.#attach(channelVariables);
    try {
      await this.#attaching;
    } catch (error) {
      this.#attaching = undefined;
      throw error;
    }
  }

  /** What a tool call of the AI came to. A repeat, after a takeover, is not told again. */
  toolResult(id: string, result: string): void {
    if (this.#answeredTools.has(id)) return;
    this.#answeredTools.add(id);
    this.#voice?.toolResult(id, result);
  }

  /** A repeat, after a takeover, is not said again. @throws RelayError CF_CANNOT_SAY */
  say(id: string, text: string): void {
    if (this.#said.has(id)) return;
    if (this.#voice && !this.#voice.say)
      throw new RelayError('CF_CANNOT_SAY', `${this.#options.provider.name} has no way to be told what to say`);
    this.#said.add(id);
    if (this.#voice) this.#voice.say?.(text);
    else this.#toSay.push(text);
  }

  /** The caller pressed a key, as the call's events tell. The same `id` again is a repeat. */
  digit(id: string, key: string): void {
    if (this.#keys.has(id)) return;
    this.#keys.add(id);
    this.#onKey('call', key);
  }

  /** While it is, the provider hears silence and no keys, and no turns are told. */
  setPrivate(on: boolean): void {
    this.#isPrivate = on;
  }

  /** Ends it, if it has not ended yet. Resolves when everything is closed. */
  async close(reason: EndReason, detail?: string): Promise<void> {
    this.#end(reason, detail);
    await this.#closing;
  }

  async #openProvider(): Promise<void> {
    const { call, provider, time } = this.#options;
    const session = this;
    const cancelLimit = time.after(PROVIDER_OPEN_LIMIT_MS, () =>
      this.#end(
        'provider-failed',
        `${provider.name} was not ready within ${PROVIDER_OPEN_LIMIT_MS} ms`,
        'CF_PROVIDER_TIMEOUT',
      ),
    );
    try {
      const voice = await provider.open({
        call,
        format: this.#transport.format,
        playout: {
          play: (chunk) => {
            this.#firstAudio.done();
            this.#playout.push(chunk);
          },
          flush: () => this.#flush(),
          get queuedMs() {
            return session.#playout.queuedMs + session.#transport.unplayedMs;
          },
          get playedMs() {
            return session.#playedMs;
          },
        },
        time: {
          now: () => time.now() - this.#openedAt,
          after: (ms, callback) => time.after(ms, callback),
          doDue: () => time.doDue?.(),
        },
        tell: (event) => this.#onVoiceEvent(event),
        history: this.#options.history ?? [],
        signal: this.#ending.signal,
      });
      if (this.#ending.signal.aborted) await voice.close();
      else {
        this.#voice = voice;
        for (const text of this.#toSay.splice(0)) voice.say?.(text);
      }
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      cancelLimit();
    }
  }

  async #attach(channelVariables: Readonly<Record<string, string>>): Promise<void> {
    await this.#transport.attach(channelVariables);
    if (this.#ending.signal.aborted) {
      await this.#transport.close();
      throw ended();
    }
    this.#cancelAttachTimer();
    this.#state = 'ATTACHED';
    this.#attachedAt = this.#options.time.now();
    this.#lastHeardAt = this.#attachedAt;
    this.#stopTicks = this.#options.clock.add((skipped) => this.#tick(skipped));
  }

  #tick(skipped: number): void {
    const { mediaTimeoutMs, time } = this.#options;
    const now = time.now();
    const audible = this.#state === 'TALKING' || now - this.#attachedAt >= GREETING_HOLD_MS;
    this.#transport.pace(audible ? this.#playout : this.#silence, skipped);
    if (now - this.#lastHeardAt >= mediaTimeoutMs)
      this.#end('media-lost', `the PBX sent nothing for ${mediaTimeoutMs} ms`);
    else if (this.#farewell !== undefined && this.#playout.queuedMs === 0 && this.#transport.unplayedMs === 0)
      this.#end('provider-ended', this.#farewell);
  }

  #onHeard(frame: Uint8Array): void {
    this.#lastHeardAt = this.#options.time.now();
    const speechMs = this.#heard.add(frame);
    if (speechMs > 0 && !this.#isPrivate) this.#firstAudio.heard(speechMs);
    if (this.#state === 'ATTACHED') {
      this.#state = 'TALKING';
      this.#talkingSince = this.#lastHeardAt;
      this.#firstAudio.begin();
      this.#options.tell({ type: 'started', provider: this.#options.provider.name });
    }
    this.#voice?.hear(this.#isPrivate ? new Uint8Array(frame.length).fill(this.#transport.format.silenceByte) : frame);
  }

  #onKey(from: 'leg' | 'call', key: string): void {
    if (this.#isPrivate) return;
    this.#keysFrom ??= from;
    if (from === this.#keysFrom) this.#voice?.digit(key);
  }

  #onVoiceEvent(event: VoiceEvent): void {
    if (this.#state === 'ENDED') return;
    if (event.type === 'tool-call') this.#firstAudio.done();
    if (event.type === 'failed') this.#fail(event.error);
    else if (event.type === 'usage') this.#usage.add(event.usage);
    else if (event.type === 'turn' && this.#isPrivate) return;
    else if (event.type !== 'ended') this.#options.tell(event);
    else if (this.#state === 'WAITING') this.#end('provider-ended', event.reason);
    else this.#farewell = event.reason;
  }

  #flush(): number {
    const unsentMs = this.#transport.flush();
    this.#unsentMs += unsentMs;
    return this.#playout.flush() + unsentMs;
  }

  get #playedMs(): number {
    return this.#playout.playedMs - this.#transport.unplayedMs - this.#unsentMs;
  }

  #measure(): MediaStats {
    const { sentWithAudio, lost, network } = this.#transport.stats;
    return {
      provider: this.#options.provider.name,
      transport: this.#transport.kind,
      talkMs: this.#talkingSince === undefined ? 0 : this.#options.time.now() - this.#talkingSince,
      heard: { ...this.#heard.stats, lost, ...network },
      spoke: { packets: sentWithAudio, ms: this.#playedMs },
      usage: this.#usage.total,
    };
  }

  #fail(error: Error): void {
    const code = error instanceof VoiceProviderError ? error.code : 'CF_PROVIDER_FAILED';
    this.#end('provider-failed', error.message, code);
  }

  #end(reason: EndReason, detail?: string, code?: VoiceProviderError['code']): void {
    if (this.#state === 'ENDED') return;
    this.#state = 'ENDED';
    this.#cancelAttachTimer();
    this.#stopTicks();
    this.#firstAudio.done();
    this.#finalStats = this.#measure();
    this.#ending.abort(ended());
    // One that fails to close must not keep the other open.
    this.#closing = Promise.allSettled([this.#voice?.close(), this.#transport.close()]).then(() => {
      this.#playout.flush();
    });
    this.#options.tell({ type: 'ended', reason, detail, ...(code && { code }), stats: this.#finalStats });
  }
}

function ended(): RelayError {
  return new RelayError('CF_SESSION_UNKNOWN', 'the media session has ended');
}
