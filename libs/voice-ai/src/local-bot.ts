import type { Ear } from './barge-in.ts';
import { BotSpeech } from './bot-speech.ts';
import { CallerSpeech } from './caller-speech.ts';
import type { Stretch } from './caller-voice.ts';
import { type Dialogue, type DialogueState, filledArguments, isFixed, spokenText } from './dialogue.ts';
import { placeIn } from './dialogue-place.ts';
import { DigitEntry } from './digit-entry.ts';
import { VoiceProviderError } from './errors.ts';
import type { Voice } from './espeak.ts';
import type { VoiceContext, VoiceEvent, VoiceSession } from './provider.ts';
import type { SpokenPhrases } from './spoken-phrases.ts';
import { Turns } from './turns.ts';

export interface LocalBotOptions extends Voice {
  readonly phrases: SpokenPhrases;
}

/** Phrases that the program wants said and that wait for others; more are not said. */
const MAX_WAITING_PHRASES = 20;

/** A call with a dialogue: where in it the caller is, what is being said, and what the caller did. */
export class LocalBot implements VoiceSession {
  readonly #context: VoiceContext;
  readonly #dialogue: Dialogue;
  readonly #options: LocalBotOptions;
  readonly #ear: Ear;
  readonly #caller: CallerSpeech;
  readonly #turns: Turns;
  readonly #speech: BotSpeech;
  /** The dialogue's fixed texts, ready to be played. */
  readonly #ready = new Map<string, Uint8Array>();
  #state: DialogueState;
  #entry: DigitEntry | undefined;
  #entered: Array<{ readonly key: string; readonly atMs: number }> = [];
  #toSay: string[] = [];
  /** Phrases that the caller has not heard to their end. */
  #unheard = 0;
  /** What was under way before an interruption counts no more. */
  #round = 0;
  #isSynthesizing = false;
  #phrases = 0;
  #tools = 0;
  /** The tool that this state waits for. */
  #asked: string | undefined;
  #digits = '';
  #heardMs = 0;
  #result = '';
  #cancelSilence: () => void = () => {};
  #open = true;

  constructor(context: VoiceContext, dialogue: Dialogue, options: LocalBotOptions, ear: Ear) {
    const { format, playout, time } = context;
    this.#context = context;
    this.#dialogue = dialogue;
    this.#options = options;
    this.#ear = ear;
    this.#state = this.#stateNamed(dialogue.start);
    this.#turns = new Turns(time, (event) => this.#tell(event));
    this.#speech = new BotSpeech(format, playout, time, this.#turns);
    this.#caller = new CallerSpeech(format, time, ear, {
      started: (atMs) => this.#onSpeechStarted(atMs),
      stopped: (said) => this.#onSpeechStopped(said),
    });
  }

  /** @throws VoiceProviderError; whatever the context's signal was aborted with */
  async begin(): Promise<void> {
    const fixed = Object.values(this.#dialogue.states).flatMap(({ say }) => (say && isFixed(say) ? [say] : []));
    await Promise.all(
      fixed.map(async (text) => {
        this.#ready.set(text, await this.#audioOf(text));
      }),
    );
    this.#context.signal.throwIfAborted();
    const { state, digits, heardMs, result } = placeIn(this.#dialogue, this.#context.history);
    this.#digits = digits;
    this.#heardMs = heardMs;
    this.#result = result;
    this.#enter(state);
  }

  hear(frame: Uint8Array): void {
    if (this.#open) this.#caller.hear(frame);
  }

  digit(key: string): void {
    if (!this.#open) return;
    const atMs = this.#context.time.now();
    this.#interrupt();
    this.#entered.push({ key, atMs });
    this.#cancelSilence();
    if (this.#entry) {
      this.#entry.press(key);
      return;
    }
    this.#tellEntered();
    const to = this.#state.on?.digits[key];
    if (to === undefined) this.#onQuiet();
    else {
      this.#digits = key;
      this.#enter(to);
    }
  }

  toolResult(id: string, result: string): void {
    if (!this.#open || id !== this.#asked || !this.#state.tool) return;
    this.#result = result;
    this.#enter(this.#state.tool.to);
  }

  say(text: string): void {
    if (this.#open && this.#toSay.length < MAX_WAITING_PHRASES) this.#say(text);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#round += 1;
    this.#cancelSilence();
    this.#entry?.close();
    this.#caller.close();
    this.#speech.close();
    this.#turns.close();
    this.#ear.close?.();
  }

  #enter(name: string): void {
    this.#cancelSilence();
    this.#entry?.close();
    this.#entry = undefined;
    this.#asked = undefined;
    this.#state = this.#stateNamed(name);
    const { say, collect } = this.#state;
    if (collect) {
      const { count, finishKey, timeoutMs, to } = collect;
      this.#entry = new DigitEntry(
        { count, digitsFinishKey: finishKey, digitsTimeoutMs: timeoutMs },
        this.#context.time,
        (digits) => {
          this.#tellEntered();
          this.#digits = digits;
          this.#enter(to);
        },
      );
    }
    if (say === undefined) this.#onQuiet();
    else this.#say(spokenText(say, this.#values));
  }

  #say(text: string): void {
    this.#cancelSilence();
    this.#unheard += 1;
    this.#toSay.push(text);
    this.#sayNext();
  }

  /** What is ready is played in the same moment. */
  #sayNext(): void {
    while (!this.#isSynthesizing) {
      const text = this.#toSay.shift();
      if (text === undefined) return;
      const audio = this.#ready.get(text);
      if (audio) this.#play(text, audio);
      else void this.#synthesize(text);
    }
  }

  async #synthesize(text: string): Promise<void> {
    const round = this.#round;
    this.#isSynthesizing = true;
    try {
      const audio = await this.#audioOf(text);
      if (round !== this.#round) return;
      this.#play(text, audio);
      this.#isSynthesizing = false;
      this.#sayNext();
    } catch (error) {
      if (round === this.#round) this.#fail(error);
    }
  }

  #audioOf(text: string): Promise<Uint8Array> {
    return this.#options.phrases.audio(text, this.#options, this.#context.format);
  }

  #play(text: string, audio: Uint8Array): void {
    const round = this.#round;
    this.#phrases += 1;
    const phrase = `phrase ${this.#phrases}`;
    this.#speech.say(text, phrase);
    this.#speech.play(audio, phrase);
    this.#speech.end(phrase);
    const { marks } = this.#speech;
    marks.at(marks.endMs, () => {
      if (round !== this.#round) return;
      this.#unheard -= 1;
      this.#onQuiet();
    });
  }

  /** The bot is silent at once; what it was to say it has said. */
  #interrupt(): void {
    this.#round += 1;
    this.#toSay = [];
    this.#isSynthesizing = false;
    this.#unheard = 0;
    const { unplayedMs } = this.#speech.cut();
    if (unplayedMs > 0) this.#tell({ type: 'interrupted', atMs: this.#context.time.now(), unplayedMs });
  }

  /** Nothing is to be said any more. */
  #onQuiet(): void {
    if (this.#unheard > 0) return;
    const { end, tool, on } = this.#state;
    if (end !== undefined) this.#end(end);
    else if (tool && this.#asked === undefined) this.#ask(tool);
    else if (on?.silence !== undefined && !this.#caller.speaking) {
      const to = on.silence;
      this.#cancelSilence();
      this.#cancelSilence = this.#context.time.after(on.silenceAfterMs, () => this.#enter(to));
    }
  }

  #ask({ name, arguments: given }: NonNullable<DialogueState['tool']>): void {
    this.#tools += 1;
    this.#asked = `tool-${this.#tools}`;
    this.#tell({ type: 'tool-call', id: this.#asked, name, arguments: filledArguments(given, this.#values) });
  }

  #onSpeechStarted(atMs: number): void {
    this.#tell({ type: 'speech-started', atMs });
    this.#cancelSilence();
    this.#interrupt();
    this.#onQuiet();
  }

  #onSpeechStopped(said: Stretch): void {
    const { startMs, endMs } = said;
    this.#heardMs = Math.round(endMs - startMs);
    this.#tell({ type: 'speech-stopped', atMs: endMs });
    this.#turns.begin('caller').end(`(${this.#heardMs} ms of speech)`, said);
    const to = this.#state.on?.speech;
    if (to === undefined) this.#onQuiet();
    else this.#enter(to);
  }

  /** The keys since the last turn, as one. */
  #tellEntered(): void {
    const [first] = this.#entered;
    const last = this.#entered.at(-1);
    if (!first || !last) return;
    const startMs = Math.max(0, first.atMs === last.atMs ? first.atMs - 1 : first.atMs);
    this.#turns.begin('caller').end(this.#entered.map(({ key }) => key).join(' '), { startMs, endMs: last.atMs });
    this.#entered = [];
  }

  get #values() {
    const callSeconds = Math.round(this.#context.time.now() / 1000);
    return { digits: this.#digits, heardMs: this.#heardMs, callSeconds, result: this.#result };
  }

  #stateNamed(name: string): DialogueState {
    // Every name was looked up when the dialogue was checked.
    return this.#dialogue.states[name] as DialogueState;
  }

  #end(reason: string): void {
    this.#tell({ type: 'ended', reason });
    void this.close();
  }

  #fail(cause: unknown): void {
    const error =
      cause instanceof VoiceProviderError
        ? cause
        : new VoiceProviderError('CF_PROVIDER_FAILED', 'local', 'provider "local" can\'t speak', { cause });
    this.#tell({ type: 'failed', error });
    void this.close();
  }

  #tell(event: VoiceEvent): void {
    if (this.#open) this.#context.tell(event);
  }
}
