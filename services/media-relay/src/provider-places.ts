import type { RelayReply, RelayRequest } from '@callfleet/bus';
import type { RelayConfig } from '@callfleet/config';
import { KEEP_AI_PLACES_EVERY_MS, keepAiPlaces, type LeaseRedis, leaveAi, takeAiPlace } from '@callfleet/leases';
import type { Logger } from '@callfleet/telemetry';
import { providerNamed, providerNames, VoiceProviderError } from '@callfleet/voice-ai';
import type { EndReason } from './media-session.ts';
import { countAiError } from './metrics.ts';
import { refusalOf } from './refusal.ts';

export interface ProviderPlacesOptions {
  readonly limits: RelayConfig['providers'];
  readonly redis: LeaseRedis;
  readonly log: Logger;
  /** Redis is away when it has not answered by then, milliseconds: a caller waits. */
  readonly answerWithinMs?: number;
}

interface Place {
  /** The provider and its key's name. */
  readonly account: string;
  readonly conversation: string;
}

type OpenRequest = Extract<RelayRequest, { op: 'open' }>;

/**
 * Conversations with a voice AI that goes by `relay.providers`: as many for each key as may be, over all relays. While Redis is away
 * each relay counts its own: too many are refused by the AI, which is better than that nobody is served.
 */
export class ProviderPlaces {
  readonly #options: ProviderPlacesOptions;
  /** By session. */
  readonly #places = new Map<string, Place>();
  readonly #timer: NodeJS.Timeout;

  /** @throws VoiceProviderError CF_PROVIDER_UNKNOWN, of a limit that is nobody's */
  constructor(options: ProviderPlacesOptions) {
    this.#options = options;
    for (const name of Object.keys(options.limits))
      if (!providerNames.includes(name))
        throw new VoiceProviderError(
          'CF_PROVIDER_UNKNOWN',
          name,
          `relay.providers.${name}: there is no such provider (accepted: ${providerNames.join(', ')})`,
        );
    this.#timer = setInterval(() => this.#keepAll(), KEEP_AI_PLACES_EVERY_MS);
  }

  /** Has the relay open a session when there is a place for it. Never throws: a refusal is a reply. */
  async counted(request: OpenRequest, open: () => Promise<RelayReply>): Promise<RelayReply> {
    const limit = this.#options.limits[request.provider.name]?.maxSessions;
    if (limit === undefined || this.#places.has(request.session)) return open();
    try {
      await this.#take(request, limit);
    } catch (error) {
      return refusalOf(error, request, this.#options.log);
    }
    const reply = await open();
    if (!reply.ok) this.leave(request.session);
    return reply;
  }

  /**
   * The session is over; most have no place. If Redis is away now, the place runs out by itself.
   *
   * @param reason the conversation of one whose relay stops goes on elsewhere, with its place
   */
  leave(session: string, reason?: EndReason): void {
    const place = this.#places.get(session);
    if (!place || !this.#places.delete(session) || reason === 'relay-stopped') return;
    const { account, conversation } = place;
    leaveAi(this.#options.redis, account, conversation).catch((error: unknown) =>
      this.#options.log.warn({ session, account, err: error }, 'ai-place.not-left'),
    );
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #take({ session, provider: { name, options }, conversation = session }: OpenRequest, limit: number) {
    const { key } = providerNamed(name, options);
    const account = key === undefined ? name : `${name}:${key}`;
    const place = { account, conversation };
    if (!(await this.#hasRoom(place, limit))) {
      countAiError(name, 'CF_PROVIDER_FULL');
      const what = key === undefined ? name : `${name} by the key ${key}`;
      throw new VoiceProviderError(
        'CF_PROVIDER_FULL',
        name,
        `as many conversations go on with ${what} as may (relay.providers.${name}.maxSessions: ${limit})`,
      );
    }
    this.#places.set(session, place);
  }

  async #hasRoom({ account, conversation }: Place, limit: number): Promise<boolean> {
    const { redis, log, answerWithinMs = 1000 } = this.#options;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no answer within ${answerWithinMs} ms`)), answerWithinMs);
    try {
      return await Promise.race([takeAiPlace(redis, account, limit, conversation), late.promise]);
    } catch (error) {
      log.warn({ account, err: error }, 'ai-place.not-counted');
      return [...this.#places.values()].filter((other) => other.account === account).length < limit;
    } finally {
      clearTimeout(timer);
    }
  }

  #keepAll(): void {
    const { redis, log } = this.#options;
    const byAccount = Map.groupBy(this.#places.values(), ({ account }) => account);
    for (const [account, places] of byAccount)
      keepAiPlaces(
        redis,
        account,
        places.map(({ conversation }) => conversation),
      ).catch((error: unknown) => log.warn({ account, err: error }, 'ai-place.not-kept'));
  }
}
