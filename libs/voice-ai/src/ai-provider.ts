import { AiConversation, type AiDialect } from './ai-conversation.ts';
import type { AiAddress } from './ai-socket.ts';
import type { BargeInSettings } from './barge-in.ts';
import type { VoiceProvider } from './provider.ts';
import { readKey } from './provider-key.ts';

/** Options that every AI behind a WebSocket has; parsed already. */
interface AiOptions {
  readonly key?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly greeting?: string | undefined;
  readonly digitsFinishKey?: string | null;
  readonly digitsTimeoutMs?: number;
  readonly bargeIn: BargeInSettings;
  readonly sendEveryMs?: number;
}

export interface AiProtocol<Options> {
  /** @param key undefined where the options name none, and none is needed */
  address(options: Options, key: string | undefined, signal: AbortSignal): AiAddress | Promise<AiAddress>;
  /** The AI can be told that the caller may not interrupt it, and hears him all the same. */
  readonly goesOnByItself?: true;
  dialect(conversation: AiConversation, options: Options): AiDialect;
}

/** A provider whose AI is behind a WebSocket. @param parse throws VoiceProviderError CF_PROVIDER_OPTIONS */
export function aiProvider<Options extends AiOptions>(
  provider: string,
  parse: (given: unknown) => Options,
  protocol: AiProtocol<Options>,
): (given: unknown) => VoiceProvider {
  return (given) => {
    const options = parse(given);
    return {
      name: provider,
      key: options.keyFile ?? options.key,
      owes: options.greeting === undefined ? 'answer' : 'greeting',
      open: async (context) => {
        context.signal.throwIfAborted();
        const { digitsFinishKey = '#', digitsTimeoutMs = 2000, sendEveryMs = 20 } = options;
        const key = await readKey(provider, options);
        return AiConversation.open(context, {
          provider,
          digitsFinishKey,
          digitsTimeoutMs,
          bargeIn: options.bargeIn,
          sendEveryMs,
          goesOnByItself: protocol.goesOnByItself ?? false,
          address: (signal) => protocol.address(options, key, signal),
          dialect: (conversation) => protocol.dialect(conversation, options),
        });
      },
    };
  };
}
