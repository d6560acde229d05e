import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type AudioFormat, formatNamed, msOfBytes } from '@callfleet/media';
import type { WebSocket } from 'ws';
import { AiConnection, type AiMessage, AiServer, spokenPieces } from './ai-server.ts';

type OpenAiFormat = { type: string; rate?: number };

interface Session {
  model: string;
  instructions?: string;
  audio: {
    input: { format: OpenAiFormat; transcription: unknown; turn_detection: Record<string, unknown> | null };
    output: { format: OpenAiFormat; voice: string; speed: number };
  };
}

/** A local OpenAI Realtime (GA). Its answers are tones. */
export function startOpenAiServer(): Promise<AiServer<OpenAiConnection>> {
  return AiServer.start({
    path: '/v1/realtime',
    key: ({ headers }: IncomingMessage) => headers.authorization?.replace(/^Bearer /, ''),
    accept: (socket, server, request) => {
      const model = new URL(request.url ?? '/', 'http://localhost').searchParams.get('model');
      return new OpenAiConnection(socket, server as AiServer<never>, model ?? 'gpt-realtime');
    },
  });
}

export class OpenAiConnection extends AiConnection {
  readonly truncated: Array<{ readonly item: string; readonly ms: number }> = [];
  #session: Session;
  /** Audio of each answer's item, milliseconds. */
  readonly #itemMs = new Map<string, number>();
  #active: { readonly id: string; readonly item: string; readonly isUnfinished: boolean } | undefined;
  #callerItem = id('item');
  #uncommittedMs = 0;
  #count = 0;

  constructor(socket: WebSocket, server: AiServer<never>, model: string) {
    super(socket, server);
    this.#session = {
      model,
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24_000 },
          transcription: null,
          turn_detection: { type: 'server_vad', threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 200 },
        },
        output: { format: { type: 'audio/pcm', rate: 24_000 }, voice: 'alloy', speed: 1 },
      },
    };
  }

  /** Reports an error, as after something that the client asked for. */
  sendError(code: string, message = `it is ${code}`, type = 'invalid_request_error', event_id: unknown = null): void {
    this.#tell('error', { error: { type, code, message, param: null, event_id } });
  }

  /** Comes to the end of what was unfinished. */
  finish(): void {
    this.#done('completed');
  }

  protected override onOpen(): void {
    this.#listen();
    this.#tell('session.created', { session: this.#described() });
  }

  protected onMessage(message: AiMessage): void {
    if (message.type === 'input_audio_buffer.append') {
      const audio = Buffer.from(String(message.audio), 'base64');
      this.#uncommittedMs += msOfBytes(formatOf(this.#session.audio.input.format), audio.length);
      this.hear(audio);
      return;
    }
    this.keep(message);
    switch (message.type) {
      case 'session.update':
        this.#update(message.session as Record<string, unknown>);
        break;
      case 'input_audio_buffer.clear':
        this.#uncommittedMs = 0;
        this.#tell('input_audio_buffer.cleared', {});
        break;
      case 'input_audio_buffer.commit':
        if (this.#uncommittedMs < 100) this.sendError('input_audio_buffer_commit_empty');
        else this.#commit();
        break;
      case 'conversation.item.create': {
        const item = { id: id('item'), object: 'realtime.item', status: 'completed', ...(message.item as object) };
        this.#tell('conversation.item.added', { previous_item_id: null, item });
        this.#tell('conversation.item.done', { previous_item_id: null, item });
        break;
      }
      case 'conversation.item.truncate':
        this.#truncate(String(message.item_id), Number(message.audio_end_ms));
        break;
      case 'conversation.item.delete':
        this.#tell('conversation.item.deleted', { item_id: message.item_id });
        break;
      case 'response.create':
        if (this.#active) {
          const code = 'conversation_already_has_active_response';
          this.sendError(code, undefined, undefined, message.event_id ?? null);
        } else this.#respond((message.response as { instructions?: string } | undefined)?.instructions);
        break;
      case 'response.cancel':
        if (!this.#active) this.sendError('response_cancel_not_active');
        else this.#cancel('client_cancelled');
        break;
      default:
        this.sendError('invalid_value', `Invalid value: '${message.type}'.`);
    }
  }

  protected onSpeechStarted(positionMs: number): void {
    const { turn_detection } = this.#session.audio.input;
    if (!turn_detection) return;
    this.#callerItem = id('item');
    const paddingMs = Number(turn_detection.prefix_padding_ms ?? 300);
    const audio_start_ms = Math.max(0, Math.round(positionMs - paddingMs));
    this.#tell('input_audio_buffer.speech_started', { audio_start_ms, item_id: this.#callerItem });
    if (this.#active && turn_detection.interrupt_response !== false) this.#cancel('turn_detected');
  }

  protected onSpeechStopped(positionMs: number): void {
    const { turn_detection } = this.#session.audio.input;
    if (!turn_detection) return;
    const audio_end_ms = Math.round(positionMs);
    this.#tell('input_audio_buffer.speech_stopped', { audio_end_ms, item_id: this.#callerItem });
    this.#commit();
    if (turn_detection.create_response !== false && !this.#active && !this.server.faults.stall) this.#respond();
    // What was said is written down by another model, which takes longer.
    if (this.#session.audio.input.transcription) this.#transcribe(this.#callerItem);
  }

  #update({ audio, ...rest }: Record<string, unknown>): void {
    if (rest.type !== 'realtime') {
      this.sendError('missing_required_parameter', "Missing required parameter: 'session.type'.");
      return;
    }
    const { input, output } = (audio ?? {}) as { input?: object; output?: object };
    const now = this.#session.audio;
    const wanted = { input: { ...now.input, ...input }, output: { ...now.output, ...output } };
    for (const { format } of [wanted.input, wanted.output])
      if (!['audio/pcm', 'audio/pcmu', 'audio/pcma'].includes(format.type)) {
        this.sendError('invalid_value', `Invalid value: '${format.type}'.`);
        return;
      }
    const { format } = this.server.faults;
    if (format) wanted.output.format = wanted.input.format = format as OpenAiFormat;
    this.#session = { ...this.#session, ...rest, audio: wanted };
    this.#listen();
    this.#tell('session.updated', { session: this.#described() });
  }

  #listen(): void {
    const { format, turn_detection } = this.#session.audio.input;
    // The protocol has formats that nothing here can read: what comes in them is not heard.
    if (isKnown(format)) this.listen(formatOf(format), Number(turn_detection?.silence_duration_ms ?? 500));
  }

  #described(): AiMessage {
    const expires_at = Math.floor(Date.now() / 1000) + 3600;
    return { object: 'realtime.session', id: 'sess_local', type: 'realtime', expires_at, ...this.#session };
  }

  #commit(): void {
    this.#uncommittedMs = 0;
    this.#tell('input_audio_buffer.committed', { previous_item_id: null, item_id: this.#callerItem });
    const content = [{ type: 'input_audio', transcript: null }];
    const item = { id: this.#callerItem, object: 'realtime.item', type: 'message', status: 'completed', role: 'user' };
    this.#tell('conversation.item.added', { previous_item_id: null, item: { ...item, content } });
    this.#tell('conversation.item.done', { previous_item_id: null, item: { ...item, content } });
  }

  #transcribe(item_id: string): void {
    const transcript = 'This is the caller.';
    const usage = { type: 'tokens', total_tokens: 9, input_tokens: 5, output_tokens: 4 };
    this.#tell('conversation.item.input_audio_transcription.delta', { item_id, content_index: 0, delta: transcript });
    this.#tell('conversation.item.input_audio_transcription.completed', {
      item_id,
      content_index: 0,
      transcript,
      usage,
    });
  }

  #truncate(item: string, ms: number): void {
    const has = this.#itemMs.get(item);
    if (has === undefined) {
      this.sendError('item_truncate_invalid_item_id', `Item '${item}' not found.`);
      return;
    }
    if (!Number.isInteger(ms)) {
      this.sendError('invalid_type', "Invalid type for 'audio_end_ms'.");
      return;
    }
    if (ms > has) {
      this.sendError('invalid_value', `Audio content of ${has}ms is already shorter than ${ms}ms`);
      return;
    }
    this.truncated.push({ item, ms });
    this.#itemMs.set(item, ms);
    this.#tell('conversation.item.truncated', { item_id: item, content_index: 0, audio_end_ms: ms });
  }

  #respond(instructions?: string): void {
    const answer = this.nextAnswer(instructions);
    const response_id = id('resp');
    const item_id = id('item');
    this.#active = { id: response_id, item: item_id, isUnfinished: answer.unfinished === true };
    this.#tell('response.created', { response: this.#response(response_id, 'in_progress') });
    if (answer.fails !== undefined) {
      const error = { type: 'server_error', code: answer.fails, message: `it is ${answer.fails}` };
      this.#done('failed', { type: 'failed', error });
      return;
    }
    const place = { response_id, item_id, output_index: 0 };
    const call = answer.tool && { name: answer.tool.name, call_id: id('call') };
    const item = call
      ? { id: item_id, object: 'realtime.item', type: 'function_call', status: 'in_progress', ...call, arguments: '' }
      : {
          id: item_id,
          object: 'realtime.item',
          type: 'message',
          status: 'in_progress',
          role: 'assistant',
          content: [],
        };
    this.#tell('response.output_item.added', { response_id, output_index: 0, item });
    this.#tell('conversation.item.added', { previous_item_id: null, item });
    if (call) {
      const json = JSON.stringify(answer.tool?.arguments);
      this.#tell('response.function_call_arguments.delta', { ...place, call_id: call.call_id, delta: json });
      this.#tell('response.function_call_arguments.done', { ...place, ...call, arguments: json });
      const done = { ...item, status: 'completed', arguments: json };
      this.#tell('response.output_item.done', { response_id, output_index: 0, item: done });
      this.#tell('conversation.item.done', { previous_item_id: null, item: done });
      this.#done('completed');
      return;
    }
    const part = { ...place, content_index: 0 };
    this.#tell('response.content_part.added', { ...part, part: { type: 'audio', transcript: '' } });
    this.#tell('response.output_audio_transcript.delta', { ...part, delta: answer.text });
    this.#speak(response_id, item_id, answer.ms);
    if (answer.unfinished) return;
    this.#tell('response.output_audio.done', part);
    this.#tell('response.output_audio_transcript.done', { ...part, transcript: answer.text });
    this.#tell('response.content_part.done', { ...part, part: { type: 'audio', transcript: answer.text } });
    const content = [{ type: 'output_audio', transcript: answer.text }];
    const done = { ...item, status: 'completed', content };
    this.#tell('response.output_item.done', { response_id, output_index: 0, item: done });
    this.#tell('conversation.item.done', { previous_item_id: null, item: done });
    this.#done('completed');
  }

  #speak(response_id: string, item_id: string, ms: number): void {
    const format = formatOf(this.#session.audio.output.format);
    this.#itemMs.set(item_id, (this.#itemMs.get(item_id) ?? 0) + ms);
    for (const piece of spokenPieces(format, ms)) {
      const delta = Buffer.from(piece).toString('base64');
      this.#tell('response.output_audio.delta', { response_id, item_id, output_index: 0, content_index: 0, delta });
    }
  }

  #cancel(reason: string): void {
    const active = this.#active;
    if (!active) return;
    for (let i = 0; i < (this.server.faults.latePieces ?? 0); i += 1) this.#speak(active.id, active.item, 400);
    this.#done('cancelled', { type: 'cancelled', reason });
  }

  #done(status: string, status_details: AiMessage | null = null): void {
    const active = this.#active;
    if (!active) return;
    this.#active = undefined;
    const usage = {
      total_tokens: 30,
      input_tokens: 20,
      output_tokens: 10,
      input_token_details: { text_tokens: 5, audio_tokens: 15, cached_tokens: 0 },
      output_token_details: { text_tokens: 3, audio_tokens: 7 },
    };
    this.#tell('response.done', { response: { ...this.#response(active.id, status), status_details, usage } });
  }

  #response(responseId: string, status: string): AiMessage {
    return {
      object: 'realtime.response',
      id: responseId,
      status,
      status_details: null,
      output: [],
      conversation_id: 'conv_local',
      output_modalities: ['audio'],
      usage: null,
      metadata: null,
    };
  }

  #tell(type: string, fields: AiMessage): void {
    this.#count += 1;
    this.send({ type, event_id: `event_${this.#count}`, ...fields });
  }
}

function id(kind: string): string {
  return `${kind}_${randomUUID().replaceAll('-', '').slice(0, 21)}`;
}

function isKnown({ type, rate = 24_000 }: OpenAiFormat): boolean {
  return type === 'audio/pcmu' || type === 'audio/pcma' || (type === 'audio/pcm' && rate === 24_000);
}

function formatOf(format: OpenAiFormat): AudioFormat {
  if (format.type === 'audio/pcmu') return formatNamed('ulaw');
  return formatNamed(format.type === 'audio/pcma' ? 'alaw' : 'slin24');
}
