import type { CallEvent } from '@callfleet/bus';
import type { Conversation, ConversationEvents, MediaEnd } from '../conversation.ts';
import type { OperationOptions } from '../operation-options.ts';
import type { Tools } from '../tool.ts';
import { abortable } from './abortable.ts';
import type { CallScope } from './call-scope.ts';
import { EventSource } from './event-source.ts';
import type { MediaLeg } from './media-leg.ts';
import { ToolRunner } from './tool-runner.ts';

const TYPES: ReadonlyArray<keyof ConversationEvents> = [
  'turn',
  'speech-started',
  'speech-stopped',
  'interrupted',
  'tool-call',
  'tool-call-cancelled',
  'moved',
];

/** What a program gets of a media leg. */
export class ConversationSession implements Conversation {
  readonly #scope: CallScope;
  readonly #leg: MediaLeg;
  readonly #events: EventSource<ConversationEvents>;

  constructor(scope: CallScope, leg: MediaLeg) {
    this.#scope = scope;
    this.#leg = leg;
    this.#events = new EventSource({
      scope,
      name: 'conversation.next',
      types: TYPES,
      read: (event, type) => readSessionEvent(event, type, leg),
      over: leg.over,
    });
  }

  get provider(): string {
    return this.#leg.provider;
  }

  get channelId(): string {
    return this.#leg.channelId;
  }

  /** The AI's tool calls are answered from now on. */
  runTools(tools: Tools): void {
    new ToolRunner(this.#scope, this, this.#leg, tools).start();
  }

  ended(options?: OperationOptions): Promise<MediaEnd> {
    return this.#scope.ask('conversation.ended', ({ signal }) => abortable(this.#leg.ended, signal), { options });
  }

  toolResult(id: string, result: string): Promise<void> {
    return this.#scope.ask('conversation.toolResult', () => this.#leg.order({ op: 'tool-result', id, result }));
  }

  say(text: string): Promise<void> {
    if (text === '') throw new TypeError('say: there is nothing to say');
    return this.#scope.ask('conversation.say', ({ key }) => this.#leg.order({ op: 'say', id: key, text }));
  }

  close(): Promise<void> {
    return this.#scope.ask('conversation.close', (operation) => this.#leg.close(operation, 'closed by the program'));
  }

  next<Type extends keyof ConversationEvents & string>(
    type: Type,
    options?: OperationOptions,
  ): Promise<ConversationEvents[Type]> {
    return this.#events.next(type, options);
  }

  on<Type extends keyof ConversationEvents & string>(
    type: Type,
    listener: (event: ConversationEvents[Type]) => Promise<void> | void,
  ): () => void {
    return this.#events.on(type, listener);
  }
}

function readSessionEvent(event: CallEvent, type: string, leg: MediaLeg): object | undefined {
  const { session, ...told } = event.data;
  if (typeof session !== 'string' || !leg.owns(session)) return undefined;
  // The first session's start is that of the conversation.
  if (type === 'moved') return event.type === 'media.started' && session !== leg.id ? told : undefined;
  return event.type === `media.${type}` ? told : undefined;
}
