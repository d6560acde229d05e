import { type AudioFormat, formatNamed } from '@callfleet/media';
import { z } from 'zod';
import type { AiConversation, AiDialect } from './ai-conversation.ts';
import { eventReader } from './ai-events.ts';
import { aiOptions } from './ai-options.ts';
import { aiProvider } from './ai-provider.ts';
import { CallerVoice } from './caller-voice.ts';
import { signedAddress } from './elevenlabs-address.ts';
import type { VoiceContext } from './provider.ts';
import { parseOptions } from './provider-options.ts';

const options = {
  ...aiOptions('ELEVENLABS_API_KEY', 'wss://api.elevenlabs.io/v1/convai/conversation'),
  /** The agent's id. Its model, tools and audio formats are what it was given at ElevenLabs: `ulaw_8000` passes through. */
  agent: z.string().min(1),
  /** Like instructions and greeting these go instead of what the agent was given, where it allows that; an empty greeting is none. */
  greeting: z.string().optional(),
  voice: z.string().min(1).optional(),
  language: z.string().min(2).optional(),
  /** For the placeholders in what the agent was given. */
  variables: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
};

type ElevenLabsOptions = z.output<z.ZodObject<typeof options>>;

/** An agent of ElevenLabs. @throws VoiceProviderError CF_PROVIDER_OPTIONS */
export const elevenlabs = aiProvider('elevenlabs', (given) => parseOptions('elevenlabs', options, given), {
  address: (parsed: ElevenLabsOptions, key, signal) => signedAddress(parsed, key, signal),
  dialect: (conversation, parsed) => new ElevenLabsAgent(conversation, parsed),
});

const eventId = z.coerce.number();
const readEvent = eventReader('elevenlabs', 'type', {
  conversation_initiation_metadata: {
    conversation_initiation_metadata_event: z.object({
      agent_output_audio_format: z.string(),
      user_input_audio_format: z.string(),
    }),
  },
  audio: { audio_event: z.object({ audio_base_64: z.string(), event_id: eventId }) },
  interruption: { interruption_event: z.object({ event_id: eventId }) },
  user_transcript: { user_transcription_event: z.object({ user_transcript: z.string() }) },
  agent_response: { agent_response_event: z.object({ agent_response: z.string() }) },
  client_tool_call: {
    client_tool_call: z.object({
      tool_name: z.string(),
      tool_call_id: z.string(),
      parameters: z.record(z.string(), z.unknown()).default({}),
    }),
  },
  ping: { ping_event: z.object({ event_id: eventId }) },
});

class ElevenLabsAgent implements AiDialect {
  readonly #conversation: AiConversation;
  readonly #options: ElevenLabsOptions;
  #voice: CallerVoice | undefined;
  /** Its answers have no names: they are counted. */
  #answer = 0;
  #hasWords = false;
  /** Audio is numbered; up to here it is not played any more. */
  #droppedUpTo = -1;
  #lastId = -1;

  constructor(conversation: AiConversation, parsed: ElevenLabsOptions) {
    this.#conversation = conversation;
    this.#options = parsed;
  }

  begin(): void {
    const { instructions, greeting, voice, language, variables } = this.#options;
    this.#conversation.send({
      type: 'conversation_initiation_client_data',
      conversation_config_override: {
        agent: {
          ...(instructions !== undefined && { prompt: { prompt: instructions } }),
          first_message: this.#conversation.context.history.length > 0 ? undefined : greeting,
          language,
        },
        ...(voice !== undefined && { tts: { voice_id: voice } }),
      },
      dynamic_variables: variables,
    });
  }

  /** What was said when another had the conversation. */
  #goOn(history: VoiceContext['history']): void {
    if (history.length === 0) return;
    const said = history.map(({ role, text }) => `${role === 'caller' ? 'Caller' : 'You'}: ${text}`).join('\n');
    this.#conversation.send({ type: 'contextual_update', text: `The line was interrupted. Said so far:\n${said}` });
  }

  onCaller(frame: Uint8Array): void {
    this.#voice?.hear(frame);
  }

  sendAudio(audio: Uint8Array): void {
    this.#conversation.send({ user_audio_chunk: Buffer.from(audio).toString('base64') });
  }

  sendText(text: string): void {
    this.#interrupted(this.#lastId);
    this.#conversation.send({ type: 'user_message', text });
  }

  sendToolResult(id: string, _name: string, result: string): void {
    this.#conversation.send({ type: 'client_tool_result', tool_call_id: id, result, is_error: false });
  }

  onMessage(message: unknown): void {
    const event = readEvent(message);
    const conversation = this.#conversation;
    switch (event?.type) {
      case 'conversation_initiation_metadata': {
        const { agent_output_audio_format, user_input_audio_format } = event.conversation_initiation_metadata_event;
        const hears = this.#understood(user_input_audio_format);
        this.#voice = new CallerVoice(hears, conversation.callerTime, (told) => conversation.tell(told));
        conversation.ready(hears, this.#understood(agent_output_audio_format));
        this.#goOn(conversation.context.history);
        break;
      }
      case 'audio': {
        const { audio_base_64, event_id } = event.audio_event;
        this.#lastId = Math.max(this.#lastId, event_id);
        if (event_id > this.#droppedUpTo) conversation.play(Buffer.from(audio_base_64, 'base64'), `${this.#answer}`);
        break;
      }
      case 'interruption':
        this.#interrupted(event.interruption_event.event_id);
        break;
      case 'user_transcript':
        this.#nextAnswer();
        if (this.#voice)
          conversation.turns.begin('caller').end(event.user_transcription_event.user_transcript, this.#voice.said);
        break;
      case 'agent_response':
        if (this.#hasWords) this.#nextAnswer();
        conversation.speech.say(event.agent_response_event.agent_response, `${this.#answer}`);
        this.#hasWords = true;
        break;
      case 'client_tool_call': {
        const { tool_call_id, tool_name, parameters } = event.client_tool_call;
        conversation.toolCall(tool_call_id, tool_name, parameters);
        break;
      }
      case 'ping':
        conversation.send({ type: 'pong', event_id: event.ping_event.event_id });
        break;
    }
  }

  /** An agent that says good-bye closes the connection as it should be. */
  onLost(code: number | undefined): boolean {
    if (code !== 1000) return false;
    this.#nextAnswer();
    this.#conversation.ended('the agent ended the conversation');
    return true;
  }

  #interrupted(upTo: number): void {
    this.#droppedUpTo = Math.max(this.#droppedUpTo, upTo);
    this.#conversation.interrupted();
    this.#nextAnswer();
  }

  #nextAnswer(): void {
    this.#conversation.speech.end(`${this.#answer}`);
    this.#answer += 1;
    this.#hasWords = false;
  }

  #understood(name: string): AudioFormat {
    const known = { ulaw_8000: 'ulaw', pcm_8000: 'slin', pcm_16000: 'slin16', pcm_24000: 'slin24' } as const;
    if (Object.hasOwn(known, name)) return formatNamed(known[name as keyof typeof known]);
    throw this.#conversation.error(
      'CF_PROVIDER_PROTOCOL',
      `has an agent that speaks ${name}, which can't be converted (accepted: ${Object.keys(known).join(', ')})`,
    );
  }
}
