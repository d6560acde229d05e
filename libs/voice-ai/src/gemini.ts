import { formatNamed } from '@callfleet/media';
import { z } from 'zod';
import type { AiConversation, AiDialect } from './ai-conversation.ts';
import { aiOptions } from './ai-options.ts';
import { aiProvider } from './ai-provider.ts';
import { bargeInByWords } from './barge-in.ts';
import { CallerVoice, type Stretch } from './caller-voice.ts';
import { type GeminiContent, readGeminiMessage } from './gemini-messages.ts';
import type { VoiceContext } from './provider.ts';
import { parseOptions } from './provider-options.ts';
import type { OpenTurn } from './turns.ts';
import { UnnamedAnswers } from './unnamed-answers.ts';
import { countsOf } from './usage-counts.ts';
import { voiceTools } from './voice-tools.ts';
import { toldToSay, WaitingWords } from './waiting-words.ts';

const SERVICE = 'google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent';

const options = {
  ...aiOptions('GEMINI_API_KEY', `wss://generativelanguage.googleapis.com/ws/${SERVICE}`),
  bargeIn: bargeInByWords,
  model: z.string().min(1).default('gemini-live-2.5-flash-preview'),
  voice: z.string().min(1).optional(),
  temperature: z.number().min(0).max(2).optional(),
  tools: voiceTools,
  /** So much silence ends what the caller says, milliseconds. */
  silenceMs: z.int().min(100).max(5000).optional(),
};

type GeminiOptions = z.output<z.ZodObject<typeof options>>;

/** Gemini Live. @throws VoiceProviderError CF_PROVIDER_OPTIONS */
export const gemini = aiProvider('gemini', (given) => parseOptions('gemini', options, given), {
  address: ({ url }, key = '') => ({ url: new URL(url), headers: { 'x-goog-api-key': key } }),
  goesOnByItself: true,
  dialect: (conversation, parsed) => new GeminiLive(conversation, parsed),
});

const hears = formatNamed('slin16');
const speaks = formatNamed('slin24');

/** A connection that must be given up is replaced so long before its end at the latest, milliseconds. */
const LEAVE_BEFORE_MS = 2000;

/** A session whose connections last no longer has failed, milliseconds. */
const SHORTEST_CONNECTION_MS = 10_000;

class GeminiLive implements AiDialect {
  readonly #conversation: AiConversation;
  readonly #options: GeminiOptions;
  readonly #answers: UnnamedAnswers;
  readonly #voice: CallerVoice;
  /** What the caller says; `when` is set when the AI begins to answer. */
  #caller: { readonly turn: OpenTurn; text: string; when?: Stretch } | undefined;
  /** With it a new connection goes on where the last one ended. */
  #handle: string | undefined;
  #connectedAt = 0;
  #isAnswering = false;
  /** It takes itself for speaking until it says that its turn is over: what it is told before interrupts it. */
  #isItsTurn = false;
  readonly #words = new WaitingWords();
  #isLeaving = false;
  #cancelLeaving: () => void = () => {};

  constructor(conversation: AiConversation, parsed: GeminiOptions) {
    const { time } = conversation.context;
    this.#conversation = conversation;
    this.#options = parsed;
    this.#answers = new UnnamedAnswers(time);
    this.#voice = new CallerVoice(hears, conversation.callerTime, (event) => {
      conversation.tell(event);
      if (event.type === 'speech-started') this.#onCallerStarts();
    });
  }

  begin(): void {
    const { model, voice, temperature, instructions, tools, silenceMs, bargeIn } = this.#options;
    this.#connectedAt = this.#conversation.context.time.now();
    this.#conversation.send({
      setup: {
        model: model.startsWith('models/') ? model : `models/${model}`,
        generationConfig: {
          responseModalities: ['AUDIO'],
          temperature,
          ...(voice !== undefined && { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: voice } } } }),
        },
        ...(instructions !== undefined && { systemInstruction: { parts: [{ text: instructions }] } }),
        ...(tools.length > 0 && { tools: [{ functionDeclarations: tools.map(declared) }] }),
        realtimeInputConfig: {
          automaticActivityDetection: { silenceDurationMs: silenceMs },
          activityHandling:
            bargeIn.enabled && bargeIn.minWords === 0 ? 'START_OF_ACTIVITY_INTERRUPTS' : 'NO_INTERRUPTION',
        },
        sessionResumption: { handle: this.#handle },
        // Without it a conversation ends when its audio fills the model's window, after a quarter of an hour.
        contextWindowCompression: { slidingWindow: {} },
        inputAudioTranscription: {},
        outputAudioTranscription: {},
      },
    });
  }

  onCaller(frame: Uint8Array): void {
    this.#voice.hear(frame);
  }

  sendAudio(audio: Uint8Array): void {
    const data = Buffer.from(audio).toString('base64');
    this.#conversation.send({ realtimeInput: { audio: { data, mimeType: 'audio/pcm;rate=16000' } } });
  }

  sendText(text: string): void {
    this.#interrupted();
    this.#ask(text);
  }

  sendToolResult(id: string, name: string, result: string): void {
    this.#conversation.send({ toolResponse: { functionResponses: [{ id, name, response: { result } }] } });
  }

  say(text: string): void {
    // It would take back what it wants done.
    if (this.#conversation.awaitsTool) return;
    this.#words.add(text);
    this.#sayNext();
  }

  onMessage(message: unknown): void {
    const conversation = this.#conversation;
    // Several of them may come in one message.
    const { setupComplete, serverContent, toolCall, toolCallCancellation, usageMetadata, ...session } =
      readGeminiMessage(message);
    if (setupComplete) this.#onReady();
    if (serverContent) this.#onContent(serverContent);
    for (const { id, name, args } of toolCall?.functionCalls ?? []) conversation.toolCall(id, name, args);
    for (const id of toolCallCancellation?.ids ?? []) conversation.toolCallCancelled(id);
    if (usageMetadata) conversation.tell({ type: 'usage', usage: countsOf(usageMetadata) });
    const { sessionResumptionUpdate: update, goAway } = session;
    if (update) this.#handle = update.resumable ? update.newHandle : undefined;
    if (goAway) this.#leave(Number.parseFloat(goAway.timeLeft) * 1000 || 0);
  }

  /** Whatever it is told makes it stop; it answers when the caller has finished. */
  interrupt(): void {
    this.#interrupted();
    const turns = [{ role: 'user', parts: [{ text: '(The caller interrupts.)' }] }];
    this.#conversation.send({ clientContent: { turns, turnComplete: false } });
  }

  onLost(): boolean {
    const lastedMs = this.#conversation.context.time.now() - this.#connectedAt;
    if (this.#handle === undefined || lastedMs < SHORTEST_CONNECTION_MS) return false;
    this.#reconnect();
    return true;
  }

  end(): void {
    this.#cancelLeaving();
  }

  #onReady(): void {
    const isFirst = this.#handle === undefined;
    const { greeting } = this.#options;
    this.#conversation.ready(hears, speaks);
    if (!isFirst) return;
    const { history } = this.#conversation.context;
    if (history.length > 0) this.#goOn(history);
    else if (greeting !== undefined) this.say(greeting);
  }

  /** What was said when another had the conversation. */
  #goOn(history: VoiceContext['history']): void {
    const turns = history.map(({ role, text }) => ({ role: role === 'caller' ? 'user' : 'model', parts: [{ text }] }));
    // One who was not answered is.
    const turnComplete = history.at(-1)?.role === 'caller';
    this.#isItsTurn = turnComplete;
    this.#conversation.send({ clientContent: { turns, turnComplete } });
  }

  #onContent(content: GeminiContent): void {
    const { speech } = this.#conversation;
    if (content.interrupted) {
      this.#interrupted();
      this.#isAnswering = false;
    }
    const { text = '' } = content.inputTranscription ?? {};
    if (text !== '') {
      this.#callerTurn().text += text;
      this.#conversation.understood(text);
    }
    const interim = content.interimInputTranscription?.text;
    if (interim !== undefined) this.#conversation.understood('', interim);
    for (const { inlineData } of content.modelTurn?.parts ?? []) {
      if (!inlineData?.mimeType.startsWith('audio/pcm')) continue;
      this.#isAnswering = true;
      this.#isItsTurn = true;
      if (this.#caller) this.#caller.when ??= this.#voice.said;
      this.#conversation.play(Buffer.from(inlineData.data, 'base64'), this.#answers.current);
    }
    if (content.outputTranscription?.text) speech.say(content.outputTranscription.text, this.#answers.current);
    if (!content.generationComplete && !content.turnComplete) return;
    this.#isAnswering = false;
    this.#endCallerTurn();
    speech.end(this.#answers.current);
    if (content.turnComplete) this.#endTurn();
    if (this.#isLeaving) this.#reconnect();
  }

  #endTurn(): void {
    this.#answers.next();
    this.#isItsTurn = false;
    this.#sayNext();
  }

  #sayNext(): void {
    const text = this.#isItsTurn ? undefined : this.#words.next();
    if (text !== undefined) this.#ask(toldToSay(text));
  }

  #ask(text: string): void {
    this.#isItsTurn = true;
    this.#conversation.send({ clientContent: { turns: [{ role: 'user', parts: [{ text }] }], turnComplete: true } });
  }

  #onCallerStarts(): void {
    if (this.#caller?.when) this.#endCallerTurn();
    this.#callerTurn();
  }

  /** It is told what was said, but not when that began. */
  #callerTurn(): { text: string } {
    this.#caller ??= { turn: this.#conversation.turns.begin('caller'), text: '' };
    return this.#caller;
  }

  #endCallerTurn(): void {
    this.#caller?.turn.end(this.#caller.text, this.#caller.when ?? this.#voice.said);
    this.#caller = undefined;
  }

  #interrupted(): void {
    this.#words.clear();
    // Of what has come as a whole nothing comes late.
    if (this.#isAnswering) this.#conversation.speech.drop(this.#answers.cut());
    else this.#answers.next();
    this.#conversation.interrupted();
  }

  /** Its connections live ten minutes. What it is saying is let come to its end, if there is time. */
  #leave(timeLeftMs: number): void {
    if (this.#handle === undefined) return;
    this.#isLeaving = true;
    if (!this.#isAnswering) this.#reconnect();
    else {
      const waitMs = Math.max(0, timeLeftMs - LEAVE_BEFORE_MS);
      this.#cancelLeaving = this.#conversation.context.time.after(waitMs, () => this.#reconnect());
    }
  }

  #reconnect(): void {
    this.#isLeaving = false;
    this.#isItsTurn = false;
    this.#cancelLeaving();
    this.#conversation.reconnect();
  }
}

function declared({ name, description, parameters }: GeminiOptions['tools'][number]): Record<string, unknown> {
  return { name, description, parametersJsonSchema: parameters };
}
