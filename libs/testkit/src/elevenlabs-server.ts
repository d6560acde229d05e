import { type AudioFormat, formatNamed } from '@callfleet/media';
import { AiConnection, type AiMessage, AiServer, spokenPieces } from './ai-server.ts';

const PATH = '/v1/convai/conversation';

/** A local ElevenLabs with one agent, of any id, that takes no connections but with a signed URL. Its answers are tones. */
export function startElevenLabsServer(): Promise<AiServer<ElevenLabsConnection>> {
  return AiServer.start({
    path: PATH,
    protocol: 'convai',
    key: ({ headers, url }) =>
      headers['xi-api-key']?.toString() ??
      new URL(url ?? '/', 'http://localhost').searchParams.get('conversation_signature'),
    http: ({ pathname, searchParams }, host) => {
      const agent = searchParams.get('agent_id');
      if (pathname !== `${PATH}/get-signed-url` || !agent) return undefined;
      return { signed_url: `ws://${host}${PATH}?agent_id=${agent}&conversation_signature=local-key` };
    },
    accept: (socket, server) => new ElevenLabsConnection(socket, server as AiServer<never>),
  });
}

const FORMATS = { ulaw_8000: 'ulaw', pcm_8000: 'slin', pcm_16000: 'slin16', pcm_24000: 'slin24' } as const;

/** So much silence ends what the caller says, milliseconds. */
const SILENCE_MS = 300;

export class ElevenLabsConnection extends AiConnection {
  #format: AudioFormat = formatNamed('ulaw');
  #eventId = 0;
  #isSpeaking = false;

  /** As from time to time; the client must answer. */
  ping(): void {
    this.#eventId += 1;
    this.#tell('ping', 'ping_event', { event_id: this.#eventId, ping_ms: 40 });
  }

  protected onMessage(message: AiMessage): void {
    if (typeof message.user_audio_chunk === 'string') {
      this.hear(Buffer.from(message.user_audio_chunk, 'base64'));
      return;
    }
    this.keep(message);
    switch (message.type) {
      case 'conversation_initiation_client_data':
        this.#begin(message);
        break;
      case 'user_message':
      case 'client_tool_result':
        this.#answer();
        break;
      case 'contextual_update':
      case 'user_activity':
      case 'pong':
        break;
      default:
        this.drop(1008, `Invalid message received: ${message.type}`);
    }
  }

  protected onSpeechStarted(): void {
    if (!this.#isSpeaking) return;
    this.#isSpeaking = false;
    // Those that come late have numbers up to this one.
    this.#tell('interruption', 'interruption_event', { event_id: this.#eventId });
    for (let i = 0; i < (this.server.faults.latePieces ?? 0); i += 1) this.#sendAudio(400, this.#eventId);
  }

  protected onSpeechStopped(): void {
    const user_transcript = 'This is the caller.';
    this.#tell('user_transcript', 'user_transcription_event', { user_transcript, event_id: this.#eventId });
    if (!this.server.faults.stall) this.#answer();
  }

  #begin({ conversation_config_override }: AiMessage): void {
    const name = String(this.server.faults.format ?? 'ulaw_8000');
    if (Object.hasOwn(FORMATS, name)) this.#format = formatNamed(FORMATS[name as keyof typeof FORMATS]);
    this.listen(this.#format, SILENCE_MS);
    this.#tell('conversation_initiation_metadata', 'conversation_initiation_metadata_event', {
      conversation_id: 'conv_local',
      agent_output_audio_format: name,
      user_input_audio_format: name,
    });
    const greeting = (conversation_config_override as { agent?: { first_message?: unknown } })?.agent?.first_message;
    if (typeof greeting === 'string') this.#speak(greeting, 1000);
  }

  #answer(): void {
    const { text, ms, tool } = this.nextAnswer();
    if (tool) {
      this.#eventId += 1;
      const tool_call_id = `tool_${this.#eventId}`;
      this.#tell('client_tool_call', 'client_tool_call', {
        tool_name: tool.name,
        tool_call_id,
        parameters: tool.arguments,
      });
    } else this.#speak(text, ms);
  }

  /** It never says that it has come to an end: it can be interrupted until somebody else speaks. */
  #speak(text: string, ms: number): void {
    this.#isSpeaking = true;
    this.#tell('agent_response', 'agent_response_event', { agent_response: text, event_id: this.#eventId + 1 });
    this.#sendAudio(ms);
  }

  #sendAudio(ms: number, late?: number): void {
    for (const piece of spokenPieces(this.#format, ms)) {
      if (late === undefined) this.#eventId += 1;
      const audio_base_64 = Buffer.from(piece).toString('base64');
      this.#tell('audio', 'audio_event', { audio_base_64, event_id: late ?? this.#eventId });
    }
  }

  #tell(type: string, field: string, event: AiMessage): void {
    this.send({ type, [field]: event });
  }
}
