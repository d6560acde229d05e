import type { AudioFormat } from '@callfleet/media';
import type { AiConversation, AiDialect } from './ai-conversation.ts';
import { aiProvider } from './ai-provider.ts';
import {
  formatOfOpenAi,
  type OpenAiFailure,
  type OpenAiFormat,
  type OpenAiResponse,
  openAiFormatFor,
  readOpenAiEvent,
} from './openai-events.ts';
import { type OpenAiOptions, openAiOptions, sessionOf } from './openai-session.ts';
import type { VoiceContext } from './provider.ts';
import { parseOptions } from './provider-options.ts';
import type { OpenTurn } from './turns.ts';
import { countsOf } from './usage-counts.ts';
import { toolArguments } from './voice-tools.ts';
import { toldToSay, WaitingWords } from './waiting-words.ts';

/** OpenAI Realtime, and what speaks its protocol. @throws VoiceProviderError CF_PROVIDER_OPTIONS */
export const openai = aiProvider('openai', (given) => parseOptions('openai', openAiOptions, given), {
  address: ({ url: given, model }, key) => {
    const url = new URL(given);
    if (!url.searchParams.has('model')) url.searchParams.set('model', model);
    return { url, headers: { authorization: `Bearer ${key}` } };
  },
  goesOnByItself: true,
  dialect: (conversation, parsed) => new OpenAiRealtime(conversation, parsed),
});

const LIMITS = new Set(['rate_limit_exceeded', 'insufficient_quota']);
/** After other errors the AI goes on: mostly, what we asked for came too late to be of use. */
const FATAL = new Set([...LIMITS, 'session_expired', 'invalid_api_key', 'model_not_found', 'server_error']);

/** Events that have it say something are named so. */
const SAY = 'say_';

class OpenAiRealtime implements AiDialect {
  readonly #conversation: AiConversation;
  readonly #options: OpenAiOptions;
  /** What the caller says, by the item that it becomes. */
  readonly #callerTurns = new Map<string, { readonly turn: OpenTurn; readonly startMs: number; endMs: number }>();
  #isReady = false;
  /** The response that is under way: there is one at most. */
  #active: string | undefined;
  /** One more is wanted when that is done. */
  #wanted = false;
  readonly #words = new WaitingWords();
  /** What it was told to say last: that may have come too early. */
  #told: { readonly text: string; readonly event: string } | undefined;
  #isTelling = false;
  #tellings = 0;

  constructor(conversation: AiConversation, parsed: OpenAiOptions) {
    this.#conversation = conversation;
    this.#options = parsed;
  }

  begin(): void {
    const format = openAiFormatFor(this.#conversation.context.format);
    this.#conversation.send({ type: 'session.update', session: sessionOf(this.#options, format) });
  }

  sendAudio(audio: Uint8Array): void {
    this.#conversation.send({ type: 'input_audio_buffer.append', audio: Buffer.from(audio).toString('base64') });
  }

  sendText(text: string): void {
    this.#interrupted();
    if (this.#active !== undefined) this.#conversation.send({ type: 'response.cancel', response_id: this.#active });
    const content = [{ type: 'input_text', text }];
    this.#conversation.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
    this.#respond();
  }

  sendToolResult(id: string, _name: string, result: string): void {
    const item = { type: 'function_call_output', call_id: id, output: result };
    this.#conversation.send({ type: 'conversation.item.create', item });
    this.#respond();
  }

  say(text: string): void {
    this.#words.add(text);
    this.#sayNext();
  }

  onMessage(message: unknown): void {
    const event = readOpenAiEvent(message);
    const conversation = this.#conversation;
    const { speech } = conversation;
    switch (event?.type) {
      case 'session.updated':
        this.#onUpdated(event.session.audio?.input?.format, event.session.audio?.output?.format);
        break;
      case 'input_audio_buffer.speech_started':
        this.#onSpeechStarted(event.item_id, event.audio_start_ms);
        break;
      case 'input_audio_buffer.speech_stopped':
        this.#onSpeechStopped(event.item_id, event.audio_end_ms);
        break;
      case 'conversation.item.input_audio_transcription.completed':
        if (event.usage) conversation.tell({ type: 'usage', usage: countsOf(event.usage, 'transcription') });
        this.#endCallerTurn(event.item_id, event.transcript);
        break;
      case 'conversation.item.input_audio_transcription.failed':
        this.#endCallerTurn(event.item_id, '');
        break;
      case 'response.created':
        conversation.answered();
        this.#active = event.response.id;
        this.#isTelling = false;
        break;
      case 'response.output_audio.delta':
        conversation.play(Buffer.from(event.delta, 'base64'), event.response_id, event.item_id);
        break;
      case 'response.output_audio_transcript.delta':
        speech.say(event.delta, event.response_id, event.item_id);
        break;
      case 'response.function_call_arguments.done':
        conversation.toolCall(event.call_id, event.name, toolArguments(event.arguments));
        break;
      case 'response.done':
        this.#onResponseDone(event.response);
        break;
      case 'error':
        this.#onError(event.error);
        break;
    }
  }

  #onUpdated(input: OpenAiFormat | undefined, output: OpenAiFormat | undefined): void {
    if (this.#isReady) return;
    const asked = openAiFormatFor(this.#conversation.context.format);
    // Some models speak PCM, whatever they are asked for.
    this.#conversation.ready(this.#understood(input ?? asked), this.#understood(output ?? asked));
    this.#isReady = true;
    const { greeting } = this.#options;
    const { history } = this.#conversation.context;
    if (history.length > 0) this.#goOn(history);
    else if (greeting !== undefined) this.say(greeting);
  }

  /** What was said when another had the conversation. */
  #goOn(history: VoiceContext['history']): void {
    for (const { role, text } of history)
      this.#conversation.send({
        type: 'conversation.item.create',
        item:
          role === 'caller'
            ? { type: 'message', role: 'user', content: [{ type: 'input_text', text }] }
            : { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] },
      });
    if (history.at(-1)?.role === 'caller') this.#respond();
  }

  #understood(format: OpenAiFormat): AudioFormat {
    const understood = formatOfOpenAi(format);
    if (understood) return understood;
    const { type, rate = '' } = format;
    throw this.#conversation.error('CF_PROVIDER_PROTOCOL', `wants audio as ${type} ${rate}, which can't be converted`);
  }

  #onSpeechStarted(item: string, positionMs: number): void {
    const conversation = this.#conversation;
    const { turnDetection, bargeIn } = this.#options;
    conversation.answered();
    if (bargeIn.enabled) this.#interrupted();
    // Its position is that of the padding, which nobody spoke in.
    const paddingMs = turnDetection.type === 'server_vad' ? turnDetection.prefixPaddingMs : 0;
    const startMs = conversation.heardAtMs(positionMs + paddingMs);
    conversation.tell({ type: 'speech-started', atMs: startMs });
    this.#callerTurns.set(item, { turn: conversation.turns.begin('caller'), startMs, endMs: startMs });
  }

  #onSpeechStopped(item: string, positionMs: number): void {
    const { turnDetection, transcription } = this.#options;
    const silenceMs = turnDetection.type === 'server_vad' ? turnDetection.silenceMs : 0;
    const atMs = this.#conversation.heardAtMs(positionMs - silenceMs);
    this.#conversation.tell({ type: 'speech-stopped', atMs });
    this.#conversation.expectAnswer();
    const spoken = this.#callerTurns.get(item);
    if (spoken) spoken.endMs = atMs;
    if (transcription === null) this.#endCallerTurn(item, '');
  }

  #endCallerTurn(item: string, text: string): void {
    const spoken = this.#callerTurns.get(item);
    this.#callerTurns.delete(item);
    spoken?.turn.end(text, spoken);
  }

  /** The AI must know what of its words were heard, or it takes all of them for said. */
  #interrupted(): void {
    this.#words.clear();
    this.#told = undefined;
    if (this.#active !== undefined) this.#conversation.speech.drop(this.#active);
    for (const { item, heardMs } of this.#conversation.interrupted())
      this.#conversation.send({
        type: 'conversation.item.truncate',
        item_id: item,
        content_index: 0,
        audio_end_ms: Math.floor(heardMs),
      });
  }

  #respond(): void {
    this.#wanted = this.#active !== undefined;
    if (this.#wanted) return;
    this.#conversation.expectAnswer();
    this.#conversation.send({ type: 'response.create' });
  }

  /** Unless it speaks, or is about to. */
  #sayNext(): void {
    if (this.#active !== undefined || this.#isTelling) return;
    const text = this.#words.next();
    if (text === undefined) return;
    this.#isTelling = true;
    this.#tellings += 1;
    this.#told = { text, event: `${SAY}${this.#tellings}` };
    const response = { instructions: toldToSay(text), tool_choice: 'none' };
    this.#conversation.expectAnswer();
    this.#conversation.send({ type: 'response.create', event_id: this.#told.event, response });
  }

  #onResponseDone({ id, status, status_details, usage }: OpenAiResponse): void {
    this.#active = undefined;
    this.#conversation.answered();
    this.#conversation.speech.end(id);
    if (usage) this.#conversation.tell({ type: 'usage', usage: countsOf(usage) });
    if (status === 'failed') throw this.#failure(status_details?.error ?? {});
    if (this.#wanted) this.#respond();
    else this.#sayNext();
  }

  #onError(error: OpenAiFailure): void {
    // The AI began to answer by itself in the same moment.
    if (error.code === 'conversation_already_has_active_response') {
      if (error.event_id?.startsWith(SAY)) this.#saidTooEarly(error.event_id);
      else this.#wanted = true;
    }
    if (!this.#isReady || FATAL.has(error.code ?? '') || FATAL.has(error.type ?? '')) throw this.#failure(error);
  }

  #saidTooEarly(event: string): void {
    this.#isTelling = false;
    if (this.#told?.event === event) this.#words.putBack(this.#told.text);
    this.#told = undefined;
    this.#sayNext();
  }

  #failure({ code, type, message }: OpenAiFailure): Error {
    const limited = LIMITS.has(code ?? '');
    const why = [code ?? type ?? 'no reason given', message].filter(Boolean).join(': ');
    return this.#conversation.error(limited ? 'CF_PROVIDER_LIMITED' : 'CF_PROVIDER_FAILED', `failed: ${why}`);
  }
}
