import type { IncomingMessage } from 'node:http';
import { formatNamed } from '@callfleet/media';
import { AiConnection, type AiMessage, AiServer, spokenPieces } from './ai-server.ts';

/** A local Gemini Live. Its answers are tones. */
export function startGeminiServer(): Promise<AiServer<GeminiConnection>> {
  return AiServer.start({
    path: '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent',
    key: ({ headers, url }: IncomingMessage) =>
      new URL(url ?? '/', 'http://localhost').searchParams.get('key') ?? headers['x-goog-api-key']?.toString(),
    accept: (socket, server) => new GeminiConnection(socket, server as AiServer<never>),
  });
}

const hears = formatNamed('slin16');
const speaks = formatNamed('slin24');

/** So much silence ends what the caller says, unless it is told otherwise, milliseconds. */
const SILENCE_MS = 300;

/** What it understands of a caller, a word for each so much that he speaks, milliseconds. */
const CALLER_WORDS = ['This ', 'is ', 'the ', 'caller.'];
const WORD_MS = 200;

interface ClientContent {
  readonly turns?: ReadonlyArray<{ readonly parts?: ReadonlyArray<{ readonly text?: string }> }>;
  readonly turnComplete?: boolean;
}

export class GeminiConnection extends AiConnection {
  /** The handle with which it goes on where another connection ended. */
  resumedWith: string | undefined;
  /** While the caller speaks it tells what he may be saying, all of it each time, and what he said when he is done: as newer models do. */
  tellsInterim = false;
  #setup: AiMessage | undefined;
  #isSpeaking = false;
  /** Where in the caller's audio it will have been heard to its end; undefined: its end is not made yet. */
  #heardAtMs: number | undefined;
  #handles = 0;
  /** Where in the caller's audio he began to speak, and how many of his words were told. */
  #callerSince: number | undefined;
  #toldWords = 0;
  #understood = 0;

  /** As before each end of a connection, which lives ten minutes. */
  goAway(timeLeft: string): void {
    this.#tell({ goAway: { timeLeft } });
  }

  /** Takes back what it asked to be done. */
  cancelCall(id: string): void {
    this.#tell({ toolCallCancellation: { ids: [id] } });
  }

  protected onMessage(message: AiMessage): void {
    const audio = (message.realtimeInput as { audio?: { data: string; mimeType: string } } | undefined)?.audio;
    if (!audio) this.keep(message);
    if (message.setup) this.#begin(message.setup as AiMessage);
    else if (!this.#setup) this.drop(1007, 'The first message must be setup.');
    else if (audio?.mimeType === 'audio/pcm;rate=16000') this.#onCaller(Buffer.from(audio.data, 'base64'));
    else if (audio) this.drop(1007, `Unsupported mimeType ${audio.mimeType}`);
    else if (message.toolResponse) this.#answer();
    else if (message.clientContent) this.#onContent(message.clientContent as ClientContent);
  }

  protected onSpeechStarted(positionMs: number): void {
    this.#callerSince = positionMs;
    this.#toldWords = 0;
    this.#understood = 0;
    const { activityHandling } = (this.#setup?.realtimeInputConfig ?? {}) as { activityHandling?: string };
    if (activityHandling !== 'NO_INTERRUPTION') this.#interrupt();
  }

  protected onSpeechStopped(): void {
    this.#callerSince = undefined;
    if (this.tellsInterim) this.#tellWords(this.#understood);
    if (!this.server.faults.stall) this.#answer();
  }

  #begin(setup: AiMessage): void {
    if (this.#setup) {
      this.drop(1007, 'setup comes once');
      return;
    }
    this.#setup = setup;
    this.resumedWith = (setup.sessionResumption as { handle?: string } | undefined)?.handle;
    this.listen(hears, SILENCE_MS);
    this.#tell({ setupComplete: {} });
  }

  #onContent({ turns, turnComplete }: ClientContent): void {
    // Whatever comes interrupts; what is not complete is not answered yet.
    this.#interrupt();
    if (turnComplete) this.#answer(turns?.at(-1)?.parts?.[0]?.text);
  }

  #answer(told?: string): void {
    const { text, ms, tool, unfinished } = this.nextAnswer(told);
    if (tool) {
      this.#handles += 1;
      const call = { id: `function-call-${this.#handles}`, name: tool.name, args: tool.arguments };
      this.#tell({ toolCall: { functionCalls: [call] } });
      return;
    }
    this.#isSpeaking = true;
    this.#tell({ serverContent: { outputTranscription: { text } } });
    this.#sendAudio(ms);
    if (unfinished) return;
    this.#heardAtMs = this.heardMs + ms;
    this.#tell({ serverContent: { generationComplete: true } });
  }

  #interrupt(): void {
    if (!this.#isSpeaking) return;
    this.#isSpeaking = false;
    this.#tell({ serverContent: { interrupted: true } });
    if (this.#heardAtMs === undefined)
      for (let i = 0; i < (this.server.faults.latePieces ?? 0); i += 1) this.#sendAudio(400);
    this.#heardAtMs = undefined;
    this.#tell({ serverContent: { turnComplete: true } });
  }

  #tellWords(count: number): void {
    if (this.tellsInterim && this.#callerSince !== undefined) {
      const text = CALLER_WORDS.slice(0, count).join('');
      if (text !== '') this.#tell({ serverContent: { interimInputTranscription: { text } } });
      return;
    }
    for (const text of CALLER_WORDS.slice(this.#toldWords, count))
      this.#tell({ serverContent: { inputTranscription: { text } } });
    this.#toldWords = Math.max(this.#toldWords, count);
  }

  #onCaller(audio: Uint8Array): void {
    this.hear(audio);
    if (this.#callerSince !== undefined) {
      this.#understood = Math.floor((this.heardMs - this.#callerSince) / WORD_MS);
      this.#tellWords(this.#understood);
    }
    if (!this.#isSpeaking || this.#heardAtMs === undefined || this.heardMs < this.#heardAtMs) return;
    this.#isSpeaking = false;
    this.#heardAtMs = undefined;
    // Several things come in one message.
    const usageMetadata = {
      promptTokenCount: 40,
      responseTokenCount: 25,
      totalTokenCount: 65,
      promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 40 }],
    };
    this.#tell({ serverContent: { turnComplete: true }, usageMetadata });
    if (this.#setup?.sessionResumption) this.#giveHandle();
  }

  #giveHandle(): void {
    this.#handles += 1;
    this.#tell({ sessionResumptionUpdate: { newHandle: `handle-${this.#handles}`, resumable: true } });
  }

  #sendAudio(ms: number): void {
    for (const piece of spokenPieces(speaks, ms)) {
      const inlineData = { mimeType: 'audio/pcm;rate=24000', data: Buffer.from(piece).toString('base64') };
      this.#tell({ serverContent: { modelTurn: { parts: [{ inlineData }] } } });
    }
  }

  /** Google sends its JSON in binary messages. */
  #tell(message: AiMessage): void {
    this.send(Buffer.from(JSON.stringify(message)));
  }
}
