import type { AudioFormat } from '@callfleet/media';
import { z } from 'zod';
import type { AiConversation, AiDialect } from './ai-conversation.ts';
import { eventReader } from './ai-events.ts';
import { aiOptions } from './ai-options.ts';
import { aiProvider } from './ai-provider.ts';
import { CallerVoice } from './caller-voice.ts';
import { parseOptions } from './provider-options.ts';
import { UnnamedAnswers } from './unnamed-answers.ts';
import { toolArguments, voiceTools } from './voice-tools.ts';

const options = {
  ...aiOptions('DEEPGRAM_API_KEY', 'wss://agent.deepgram.com/v1/agent/converse'),
  /** The model that thinks, and whose it is. */
  model: z.string().min(1).default('gpt-4o-mini'),
  modelProvider: z.string().min(1).default('open_ai'),
  temperature: z.number().min(0).max(2).optional(),
  /** The model that understands speech. */
  listenModel: z.string().min(1).default('nova-3'),
  voice: z.string().min(1).default('aura-2-thalia-en'),
  tools: voiceTools,
};

type DeepgramOptions = z.output<z.ZodObject<typeof options>>;

/** Deepgram's Voice Agent. @throws VoiceProviderError CF_PROVIDER_OPTIONS */
export const deepgram = aiProvider('deepgram', (given) => parseOptions('deepgram', options, given), {
  address: ({ url }, key) => ({ url: new URL(url), headers: { authorization: `Token ${key}` } }),
  dialect: (conversation, parsed) => new DeepgramAgent(conversation, parsed),
});

const readEvent = eventReader('deepgram', 'type', {
  Welcome: {},
  SettingsApplied: {},
  ConversationText: { role: z.string(), content: z.string() },
  UserStartedSpeaking: {},
  AgentThinking: {},
  AgentStartedSpeaking: {},
  AgentAudioDone: {},
  FunctionCallRequest: {
    functions: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string(), client_side: z.boolean() })),
  },
  FunctionCallCancelled: { functions: z.array(z.object({ id: z.string() })) },
  Error: { description: z.string().default(''), code: z.string().default('') },
});

/** It hangs up on who says nothing for 10 s, as a PBX does whose caller is silent. Milliseconds. */
const KEEP_ALIVE_MS = 8000;

class DeepgramAgent implements AiDialect {
  readonly #conversation: AiConversation;
  readonly #options: DeepgramOptions;
  readonly #answers: UnnamedAnswers;
  readonly #voice: CallerVoice;
  /** What it was told in the caller's name comes back as his words, which it is not. */
  #injected: string | undefined;
  #cancelKeepAlive: () => void = () => {};

  constructor(conversation: AiConversation, parsed: DeepgramOptions) {
    const { format, time } = conversation.context;
    this.#conversation = conversation;
    this.#options = parsed;
    this.#answers = new UnnamedAnswers(time);
    this.#voice = new CallerVoice(format, conversation.callerTime, (event) => conversation.tell(event));
  }

  begin(): void {
    const { model, modelProvider, temperature, listenModel, voice, instructions, greeting, tools } = this.#options;
    const { history } = this.#conversation.context;
    const said = history.map(({ role, text: content }) => {
      return { type: 'History', role: role === 'caller' ? 'user' : 'assistant', content };
    });
    const audio = { encoding: encodingOf(this.#conversation.context.format), sample_rate: this.#format.sampleRate };
    const provider = { type: modelProvider, model, ...(temperature !== undefined && { temperature }) };
    this.#conversation.send({
      type: 'Settings',
      audio: { input: audio, output: { ...audio, container: 'none' } },
      agent: {
        listen: { provider: { type: 'deepgram', model: listenModel } },
        think: { provider, prompt: instructions, functions: tools },
        speak: { provider: { type: 'deepgram', model: voice } },
        ...(said.length > 0 ? { context: { messages: said } } : { greeting }),
      },
    });
    this.#keepAlive();
  }

  onCaller(frame: Uint8Array): void {
    this.#voice.hear(frame);
  }

  sendAudio(audio: Uint8Array): void {
    this.#conversation.send(audio);
  }

  sendText(text: string): void {
    this.#interrupted();
    this.#injected = text;
    this.#conversation.send({ type: 'InjectUserMessage', content: text });
    this.#conversation.expectAnswer();
  }

  sendToolResult(id: string, name: string, result: string): void {
    this.#conversation.send({ type: 'FunctionCallResponse', id, name, content: result });
    this.#conversation.expectAnswer();
  }

  say(text: string): void {
    this.#conversation.send({ type: 'InjectAgentMessage', message: text, behavior: 'queue' });
  }

  onAudio(audio: Uint8Array): void {
    this.#conversation.play(audio, this.#answers.current);
  }

  onMessage(message: unknown): void {
    const event = readEvent(message);
    const conversation = this.#conversation;
    switch (event?.type) {
      case 'SettingsApplied':
        conversation.ready(this.#format, this.#format);
        break;
      case 'UserStartedSpeaking':
        this.#interrupted();
        break;
      case 'AgentThinking':
      case 'AgentStartedSpeaking':
        this.#answers.resume();
        break;
      case 'ConversationText':
        this.#answers.resume();
        if (event.role === 'user') this.#onCallerText(event.content);
        else conversation.speech.say(`${event.content} `, this.#answers.current);
        break;
      case 'AgentAudioDone':
        conversation.speech.end(this.#answers.current);
        this.#answers.next();
        break;
      case 'FunctionCallRequest':
        for (const { id, name, arguments: json, client_side } of event.functions)
          if (client_side) conversation.toolCall(id, name, toolArguments(json));
        break;
      case 'FunctionCallCancelled':
        for (const { id } of event.functions) conversation.toolCallCancelled(id);
        break;
      case 'Error':
        throw conversation.error(
          event.code === 'TOO_MANY_REQUESTS' ? 'CF_PROVIDER_LIMITED' : 'CF_PROVIDER_FAILED',
          `failed: ${event.code}: ${event.description}`,
        );
    }
  }

  end(): void {
    this.#cancelKeepAlive();
  }

  get #format(): AudioFormat {
    return this.#conversation.context.format;
  }

  #onCallerText(text: string): void {
    this.#conversation.expectAnswer();
    if (text !== this.#injected) this.#conversation.turns.begin('caller').end(text, this.#voice.said);
    this.#injected = undefined;
  }

  #interrupted(): void {
    this.#conversation.answered();
    this.#conversation.speech.drop(this.#answers.cut());
    this.#conversation.interrupted();
  }

  #keepAlive(): void {
    this.#cancelKeepAlive = this.#conversation.context.time.after(KEEP_ALIVE_MS, () => {
      this.#conversation.send({ type: 'KeepAlive' });
      this.#keepAlive();
    });
  }
}

function encodingOf({ encoding }: AudioFormat): string {
  return { ulaw: 'mulaw', alaw: 'alaw', slin: 'linear16' }[encoding];
}
