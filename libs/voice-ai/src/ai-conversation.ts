import { type AudioFormat, type TimeSource, VoiceDetector } from '@callfleet/media';
import { converter } from './ai-audio.ts';
import { type AiAddress, AiSocket } from './ai-socket.ts';
import { AudioPieces } from './audio-pieces.ts';
import { BargeInGate, type BargeInSettings, type Ear, isGated } from './barge-in.ts';
import { BargeInByWords, WORDS_HANGOVER_MS } from './barge-in-words.ts';
import { BotSpeech, type CutSpeech } from './bot-speech.ts';
import { SentAudio } from './caller-voice.ts';
import { DigitEntry } from './digit-entry.ts';
import { VoiceProviderError } from './errors.ts';
import { HeldPlayout } from './held-playout.ts';
import type { VoiceContext, VoiceEvent, VoiceSession } from './provider.ts';
import { Turns } from './turns.ts';

/** One AI's protocol in one call. What it throws fails the conversation. */
export interface AiDialect {
  /** The socket stands. What is said now leads to {@link AiConversation.ready}. */
  begin(): void;
  onMessage(message: unknown): void;
  /** For AIs that send audio as it is. */
  onAudio?(audio: Uint8Array): void;
  /** Each frame of what the caller says, in the AI's format, also what is not sent yet. */
  onCaller?(frame: Uint8Array): void;
  /** What the caller says, in the AI's format. */
  sendAudio(audio: Uint8Array): void;
  /** Something the caller did, in words; the AI is to answer. */
  sendText(text: string): void;
  /** For AIs that take single keys. */
  sendDigit?(key: string): void;
  sendToolResult(id: string, name: string, result: string): void;
  /** Has the AI say this when it has finished what it says, for AIs that can be told. */
  say?(text: string): void;
  /** The caller has said so many words that the bot is to be silent. Of AIs whose option is {@link bargeInByWords}. */
  interrupt?(): void;
  /** The conversation is over: the last words to the AI. */
  end?(): void;
  /** The connection is lost; the AI closed it with `code`. True: that is no failure, it was seen to. */
  onLost?(code: number | undefined): boolean;
}

export interface AiConversationOptions {
  readonly provider: string;
  readonly digitsFinishKey: string | null;
  readonly digitsTimeoutMs: number;
  readonly bargeIn: BargeInSettings;
  /** The AI itself sees to it that a caller who may not interrupt does not, and hears him all the same. */
  readonly goesOnByItself: boolean;
  /** So much of what the caller says is in each message, milliseconds. */
  readonly sendEveryMs: number;
  /** @param signal aborted when it is not wanted any more */
  address(signal: AbortSignal): AiAddress | Promise<AiAddress>;
  dialect(conversation: AiConversation): AiDialect;
}

/** An AI that cannot hear by then is not there, milliseconds. Below what a media session waits. */
const READY_LIMIT_MS = 8000;

/** An AI that owes the caller an answer and says nothing for so long has failed: its caller hears silence. Milliseconds. */
const ANSWER_LIMIT_MS = 15_000;

/** The pauses between a caller's words are shorter, milliseconds: what was no interruption is known to be over so much later. */
const BARGE_IN_HANGOVER_MS = 400;

/** More than any AI asks for at once. */
const MAX_PENDING_TOOLS = 100;

/** What the caller says while an AI's connection is replaced, frames; the oldest fall out. */
const MAX_WAITING_FRAMES = 250;

/** A call with an AI behind a WebSocket: all that does not depend on which AI it is. */
export class AiConversation implements VoiceSession {
  readonly context: VoiceContext;
  readonly say?: (text: string) => void;
  readonly turns: Turns;
  readonly speech: BotSpeech;
  /** The moment at which the caller's audio was heard that the AI is being sent: some is held back before. */
  readonly callerTime: TimeSource;
  readonly #options: AiConversationOptions;
  readonly #dialect: AiDialect;
  readonly #digits: DigitEntry;
  /** Tool calls without an answer: name by id. */
  readonly #pendingTools = new Map<string, string>();
  readonly #sent: SentAudio;
  readonly #gate: BargeInGate | BargeInByWords | undefined;
  #sendingAtMs: number | undefined;
  #toAi: (audio: Uint8Array) => Uint8Array = (audio) => audio;
  #fromAi: (audio: Uint8Array) => Uint8Array = (audio) => audio;
  #pieces: AudioPieces | undefined;
  /** Somebody was given it: from now on a failure is told, not thrown. */
  #isOpen = false;
  #state: 'CONNECTING' | 'READY' | 'CLOSED' = 'CONNECTING';
  #socket: AiSocket | undefined;
  #becomesReady = Promise.withResolvers<void>();
  #waitingFrames: Array<{ readonly frame: Uint8Array; readonly atMs: number }> = [];
  #waitingRequests: Array<() => void> = [];
  readonly #ending = new AbortController();
  #cancelAnswerLimit: () => void = () => {};
  #closing: Promise<void> | undefined;

  /** @throws VoiceProviderError; whatever `context.signal` was aborted with */
  static async open(context: VoiceContext, options: AiConversationOptions): Promise<AiConversation> {
    const ear = await earFor(context.format, options);
    const conversation = new AiConversation(context, options, ear);
    try {
      await conversation.#connect();
    } catch (error) {
      await conversation.close();
      throw error;
    }
    conversation.#isOpen = true;
    return conversation;
  }

  private constructor(context: VoiceContext, options: AiConversationOptions, ear: Ear | undefined) {
    const { format, playout, time } = context;
    this.context = context;
    this.#options = options;
    this.#sent = new SentAudio(format, time);
    this.turns = new Turns(time, (event) => this.tell(event));
    this.callerTime = { now: () => this.#sendingAtMs ?? time.now(), after: (ms, callback) => time.after(ms, callback) };
    const held = ear && new HeldPlayout(format, playout);
    this.speech = new BotSpeech(format, held ?? playout, time, this.turns);
    const { bargeIn: settings } = options;
    const pass = (frame: Uint8Array, atMs: number) => this.#pass(frame, atMs);
    if (ear && held)
      this.#gate =
        settings.minWords === 0
          ? new BargeInGate(settings, format, time, held, ear, pass)
          : new BargeInByWords({
              settings,
              format,
              time,
              playout: held,
              ear,
              pass,
              interrupt: () => this.#dialect.interrupt?.(),
            });
    this.#digits = new DigitEntry(options, time, (digits) =>
      this.#whenReady(() => this.#dialect.sendText(`The caller pressed these keys on the telephone: ${digits}`)),
    );
    const dialect = options.dialect(this);
    this.#dialect = dialect;
    if (dialect.say)
      this.say = (text) => {
        if (this.#state !== 'CLOSED') this.#whenReady(() => dialect.say?.(text));
      };
  }

  /** The AI can hear, and speaks, in these formats. */
  ready(hears: AudioFormat, speaks: AudioFormat): void {
    if (this.#state !== 'CONNECTING') return;
    this.#state = 'READY';
    const { format } = this.context;
    this.#toAi = converter(format, hears);
    this.#fromAi = converter(speaks, format);
    this.#pieces = new AudioPieces(hears, this.#options.sendEveryMs, (piece) => this.#dialect.sendAudio(piece));
    this.#becomesReady.resolve();
    for (const request of this.#waitingRequests.splice(0)) request();
    for (const { frame, atMs } of this.#waitingFrames.splice(0)) this.#pass(frame, atMs);
  }

  send(message: Readonly<Record<string, unknown>> | Uint8Array): void {
    this.#socket?.send(message);
  }

  tell(event: VoiceEvent): void {
    if (this.#state !== 'CLOSED') this.context.tell(event);
  }

  /** @param audio as the AI sent it */
  play(audio: Uint8Array, answer: string, item?: string): void {
    this.answered();
    if (this.speech.isDropped(answer)) return;
    this.#gate?.onAudio(answer);
    this.speech.play(this.#fromAi(audio), answer, item);
  }

  /** The caller interrupted: the bot is silent at once. @returns what of its words were heard */
  interrupted(): readonly CutSpeech[] {
    const { unplayedMs, cut } = this.speech.cut();
    this.#gate?.onCut(unplayedMs);
    if (unplayedMs > 0) this.tell({ type: 'interrupted', atMs: this.context.time.now(), unplayedMs });
    return cut;
  }

  /**
   * The AI tells some more of what the caller is saying, while he does.
   *
   * @param interim what may come after that, and is told again
   */
  understood(text: string, interim = ''): void {
    if (this.#gate instanceof BargeInByWords) this.#gate.understood(text, interim);
  }

  /** The moment of the call at which the AI heard what stands there in the caller's audio, milliseconds. */
  heardAtMs(positionMs: number): number {
    return this.#sent.atMs(positionMs);
  }

  toolCall(id: string, name: string, input: Readonly<Record<string, unknown>>): void {
    this.answered();
    if (this.#pendingTools.size >= MAX_PENDING_TOOLS)
      throw this.error('CF_PROVIDER_PROTOCOL', 'asks for too much at once');
    this.#pendingTools.set(id, name);
    this.tell({ type: 'tool-call', id, name, arguments: input });
  }

  /** The AI waits for the answer to something that it wanted done. */
  get awaitsTool(): boolean {
    return this.#pendingTools.size > 0;
  }

  toolCallCancelled(id: string): void {
    if (this.#pendingTools.delete(id)) this.tell({ type: 'tool-call-cancelled', id });
  }

  /** From now on the AI owes the caller an answer. */
  expectAnswer(): void {
    this.#cancelAnswerLimit();
    this.#cancelAnswerLimit = this.context.time.after(ANSWER_LIMIT_MS, () =>
      this.fail(this.error('CF_PROVIDER_TIMEOUT', `heard the caller, and did not answer within ${ANSWER_LIMIT_MS} ms`)),
    );
  }

  answered(): void {
    this.#cancelAnswerLimit();
  }

  /** The AI ended the conversation: told when its last words were heard. */
  ended(reason: string): void {
    const { marks } = this.speech;
    this.answered();
    marks.at(marks.endMs, () => {
      this.speech.endAll();
      this.tell({ type: 'ended', reason });
      void this.close();
    });
  }

  error(code: VoiceProviderError['code'], what: string, cause?: unknown): VoiceProviderError {
    return new VoiceProviderError(code, this.#options.provider, `${this.#options.provider} ${what}`, { cause });
  }

  fail(error: VoiceProviderError): void {
    this.#becomesReady.reject(error);
    if (!this.#isOpen) return;
    this.tell({ type: 'failed', error });
    void this.close();
  }

  /** Goes on with a new connection; what the caller says meanwhile is kept. */
  reconnect(): void {
    if (this.#state !== 'READY') return;
    this.#state = 'CONNECTING';
    this.#becomesReady = Promise.withResolvers();
    void this.#socket?.close();
    this.#connect().catch((error: VoiceProviderError) => this.fail(error));
  }

  hear(frame: Uint8Array): void {
    if (frame.length === 0 || this.#state === 'CLOSED') return;
    // What is held back is sent later, as it is or as silence: its place in what the AI hears is the same.
    this.#sent.add(frame);
    if (this.#gate) this.#gate.hear(frame);
    else this.#pass(frame, this.context.time.now());
  }

  digit(key: string): void {
    if (this.#state === 'CLOSED') return;
    if (this.#dialect.sendDigit) this.#dialect.sendDigit(key);
    else this.#digits.press(key);
  }

  toolResult(id: string, result: string): void {
    const name = this.#pendingTools.get(id);
    if (name === undefined || this.#state === 'CLOSED') return;
    this.#pendingTools.delete(id);
    this.#whenReady(() => this.#dialect.sendToolResult(id, name, result));
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  /** At once, but while a connection is replaced. */
  #whenReady(request: () => void): void {
    if (this.#state === 'CONNECTING') this.#waitingRequests.push(request);
    else request();
  }

  #pass(frame: Uint8Array, atMs: number): void {
    if (this.#state === 'CONNECTING') {
      this.#waitingFrames.push({ frame, atMs });
      if (this.#waitingFrames.length > MAX_WAITING_FRAMES) this.#waitingFrames.shift();
    } else if (this.#state === 'READY') {
      this.#sendingAtMs = atMs;
      const audio = this.#toAi(frame);
      this.#dialect.onCaller?.(audio);
      this.#pieces?.add(audio);
      this.#sendingAtMs = undefined;
    }
  }

  async #close(): Promise<void> {
    this.#dialect.end?.();
    this.#state = 'CLOSED';
    this.#cancelAnswerLimit();
    this.#digits.close();
    this.#gate?.close();
    this.speech.close();
    this.turns.close();
    this.#waitingFrames = [];
    this.#waitingRequests = [];
    this.#becomesReady.reject(this.error('CF_PROVIDER_LOST', 'was left'));
    this.#ending.abort();
    await this.#socket?.close();
  }

  async #connect(): Promise<void> {
    const { provider } = this.#options;
    const { signal, time } = this.context;
    const { promise, reject } = this.#becomesReady;
    // It may be rejected while the socket still connects, which then fails too.
    promise.catch(() => {});
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const cancelLimit = time.after(READY_LIMIT_MS, () =>
      reject(this.error('CF_PROVIDER_TIMEOUT', `was not ready within ${READY_LIMIT_MS} ms`)),
    );
    const abandoned = new AbortController();
    try {
      const address = await Promise.race([this.#options.address(abandoned.signal), promise]);
      if (!address) return;
      this.#socket = await AiSocket.connect({
        ...address,
        provider,
        time,
        signal: AbortSignal.any([signal, this.#ending.signal]),
        onMessage: (data, isBinary) => this.#onMessage(data, isBinary),
        onLost: (error, code) => {
          // One whose limit is reached is not asked again.
          const isLimited = error.code === 'CF_PROVIDER_LIMITED';
          if (isLimited || this.#state !== 'READY' || !this.#dialect.onLost?.(code)) this.fail(error);
        },
      });
      this.#dialect.begin();
      await promise;
    } finally {
      cancelLimit();
      abandoned.abort();
      signal.removeEventListener('abort', onAbort);
    }
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#state === 'CLOSED') return;
    try {
      if (isBinary && this.#dialect.onAudio) this.#dialect.onAudio(data);
      else this.#dialect.onMessage(parsed(data));
    } catch (error) {
      if (error instanceof VoiceProviderError) this.fail(error);
      else this.fail(this.error('CF_PROVIDER_PROTOCOL', 'sent what could not be understood', error));
    }
  }
}

async function earFor(format: AudioFormat, options: AiConversationOptions): Promise<Ear | undefined> {
  if (!isGated(options.bargeIn, options.goesOnByItself)) return undefined;
  const hangoverMs = options.bargeIn.minWords > 0 ? WORDS_HANGOVER_MS : BARGE_IN_HANGOVER_MS;
  return VoiceDetector.create({ sampleRate: format.sampleRate, hangoverMs });
}

function parsed(data: Buffer): unknown {
  return JSON.parse(data.toString('utf8'));
}
