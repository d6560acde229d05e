import { type AudioFormat, formatNamed } from '@callfleet/media';
import { AiConnection, type AiMessage, AiServer, spokenPieces } from './ai-server.ts';

/** A local Deepgram Voice Agent. Its answers are tones. */
export function startDeepgramServer(): Promise<AiServer<DeepgramConnection>> {
  return AiServer.start({
    path: '/v1/agent/converse',
    key: ({ headers }) => headers.authorization?.replace(/^Token /i, ''),
    accept: (socket, server) => new DeepgramConnection(socket, server as AiServer<never>),
  });
}

interface AudioSettings {
  readonly encoding: string;
  readonly sample_rate: number;
}

/** Who sends neither audio nor KeepAlive for so long is hung up on, milliseconds. */
const PATIENCE_MS = 10_000;

/** So much silence ends what the caller says, milliseconds. */
const SILENCE_MS = 300;

export class DeepgramConnection extends AiConnection {
  #speaks: AudioFormat | undefined;
  /** It speaks, and has not come to an end. */
  #isSpeaking = false;
  #calls = 0;
  #impatience: NodeJS.Timeout | undefined;

  /** Reports an error, after which Deepgram closes the connection. */
  sendError(code: string, description = `it is ${code}`): void {
    this.send({ type: 'Error', description, code });
    this.drop(1011);
  }

  /** Takes back what it asked to be done. */
  cancelCall(id: string, name: string): void {
    this.send({ type: 'FunctionCallCancelled', functions: [{ id, name }] });
  }

  override drop(code?: number, reason?: string): void {
    clearTimeout(this.#impatience);
    super.drop(code, reason);
  }

  protected override onOpen(): void {
    this.#bePatient();
    this.send({ type: 'Welcome', request_id: 'fc553ec9-5874-49ca-a47c-b670d525a4b3' });
  }

  protected override onAudio(audio: Uint8Array): void {
    this.#bePatient();
    if (this.#speaks) this.hear(audio);
    else this.sendError('CLIENT_MESSAGE_OUT_OF_ORDER', 'Settings come before audio');
  }

  protected onMessage(message: AiMessage): void {
    this.keep(message);
    this.#bePatient();
    switch (message.type) {
      case 'Settings':
        this.#configure(message as unknown as { audio: Record<'input' | 'output', AudioSettings>; agent: AiMessage });
        break;
      case 'InjectUserMessage':
        this.#onCallerText(String(message.content));
        break;
      case 'InjectAgentMessage':
        if (this.#isSpeaking && message.behavior !== 'queue')
          this.send({ type: 'InjectionRefused', message: 'the agent speaks' });
        // What is unfinished never ends, and so never comes the turn of what waits for it.
        else if (!this.#isSpeaking) this.#speak(String(message.message), 1000);
        break;
      case 'FunctionCallResponse':
        this.#answer();
        break;
      case 'UpdatePrompt':
        this.send({ type: 'PromptUpdated' });
        break;
      case 'UpdateSpeak':
        this.send({ type: 'SpeakUpdated' });
        break;
      case 'KeepAlive':
        break;
      default:
        this.sendError('UNPARSABLE_CLIENT_MESSAGE', `no message has the type ${message.type}`);
    }
  }

  protected onSpeechStarted(): void {
    this.send({ type: 'UserStartedSpeaking' });
    if (!this.#isSpeaking) return;
    this.#isSpeaking = false;
    for (let i = 0; i < (this.server.faults.latePieces ?? 0); i += 1) this.#sendPieces(400);
  }

  protected onSpeechStopped(): void {
    if (!this.server.faults.stall) this.#onCallerText('This is the caller.');
    else this.send({ type: 'ConversationText', role: 'user', content: 'This is the caller.' });
  }

  #configure({ audio, agent }: { audio: Record<'input' | 'output', AudioSettings>; agent: AiMessage }): void {
    const [hears, speaks] = [formatOf(audio.input), formatOf(audio.output)];
    if (!hears || !speaks) {
      this.sendError('INVALID_SETTINGS', 'the audio settings are not understood');
      return;
    }
    this.#speaks = speaks;
    this.listen(hears, SILENCE_MS);
    this.send({ type: 'SettingsApplied' });
    if (typeof agent.greeting === 'string') this.#speak(agent.greeting, 1000);
  }

  #onCallerText(content: string): void {
    this.send({ type: 'ConversationText', role: 'user', content });
    this.#answer();
  }

  #answer(): void {
    const { text, ms, tool, unfinished, fails } = this.nextAnswer();
    this.send({ type: 'AgentThinking', content: 'The caller wants an answer.' });
    if (fails !== undefined) {
      this.sendError(fails);
    } else if (tool) {
      this.#calls += 1;
      const call = { id: `call-${this.#calls}`, name: tool.name, arguments: JSON.stringify(tool.arguments) };
      this.send({ type: 'FunctionCallRequest', functions: [{ ...call, client_side: true }] });
    } else this.#speak(text, ms, unfinished);
  }

  #speak(text: string, ms: number, unfinished = false): void {
    this.#isSpeaking = true;
    this.send({ type: 'ConversationText', role: 'assistant', content: text });
    this.send({ type: 'AgentStartedSpeaking', total_latency: 0.8, tts_latency: 0.2, ttt_latency: 0.5 });
    this.#sendPieces(ms);
    if (unfinished) return;
    this.#isSpeaking = false;
    this.send({ type: 'AgentAudioDone' });
  }

  #sendPieces(ms: number): void {
    if (this.#speaks) for (const piece of spokenPieces(this.#speaks, ms)) this.send(piece);
  }

  #bePatient(): void {
    clearTimeout(this.#impatience);
    this.#impatience = setTimeout(() => this.sendError('CLIENT_MESSAGE_TIMEOUT'), PATIENCE_MS).unref();
  }
}

function formatOf({ encoding, sample_rate }: AudioSettings): AudioFormat | undefined {
  if (encoding === 'mulaw' && sample_rate === 8000) return formatNamed('ulaw');
  if (encoding === 'alaw' && sample_rate === 8000) return formatNamed('alaw');
  if (encoding !== 'linear16') return undefined;
  const name = ({ 8000: 'slin', 16000: 'slin16', 24000: 'slin24' } as const)[sample_rate];
  return name && formatNamed(name);
}
