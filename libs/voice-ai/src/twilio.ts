import { createHash } from 'node:crypto';
import { formatNamed } from '@callfleet/media';
import { z } from 'zod';
import type { AiConversation, AiDialect } from './ai-conversation.ts';
import { eventReader } from './ai-events.ts';
import { aiProvider } from './ai-provider.ts';
import { aiUrl } from './ai-url.ts';
import { bargeIn } from './barge-in.ts';
import { keyOptions } from './provider-key.ts';
import { parseOptions } from './provider-options.ts';

const { key, keyFile } = keyOptions('BOT_TOKEN');

const options = {
  /** The bot's. */
  url: aiUrl,
  bargeIn,
  /** With one, the bot is sent it as `Authorization: Bearer`. */
  key: key.unwrap().optional(),
  keyFile,
  /** What the bot is told at the start of each call. */
  customParameters: z.record(z.string(), z.string()).default({}),
};

type TwilioOptions = z.output<z.ZodObject<typeof options>>;

/** A bot that speaks Twilio Media Streams, to whom this is Twilio. @throws VoiceProviderError CF_PROVIDER_OPTIONS */
export const twilio = aiProvider('twilio', (given) => parseOptions('twilio', options, given), {
  address: ({ url }, token) => ({
    url: new URL(url),
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
  }),
  dialect: (conversation, parsed) => new TwilioStream(conversation, parsed),
});

const readEvent = eventReader('twilio', 'event', {
  media: { media: z.object({ payload: z.string() }) },
  mark: { mark: z.object({ name: z.string() }) },
  clear: {},
});

/** A bot that sets more marks at once counts samples with them. */
const MAX_MARKS = 1000;

/** A bot that closes the connection like this is done with the call. */
const CLOSED_BY_BOT = new Set([1000, 1001, 1005]);

/** All there is in this protocol. */
const ulaw = formatNamed('ulaw');

class TwilioStream implements AiDialect {
  readonly #conversation: AiConversation;
  readonly #options: TwilioOptions;
  readonly #ids: { readonly streamSid: string; readonly callSid: string; readonly accountSid: string };
  #sequence = 0;
  #chunk = 0;
  #sentMs = 0;
  #marks = 0;
  /** What the bot says until it clears it. */
  #answer = 0;

  constructor(conversation: AiConversation, parsed: TwilioOptions) {
    const { call } = conversation.context;
    this.#conversation = conversation;
    this.#options = parsed;
    this.#ids = { streamSid: sidOf('MZ', call), callSid: sidOf('CA', call), accountSid: sidOf('AC', '') };
  }

  begin(): void {
    const { streamSid, ...call } = this.#ids;
    const { customParameters } = this.#options;
    const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 };
    this.#conversation.send({ event: 'connected', protocol: 'Call', version: '1.0.0' });
    this.#send('start', { start: { streamSid, ...call, tracks: ['inbound'], customParameters, mediaFormat } });
    this.#conversation.ready(ulaw, ulaw);
  }

  sendAudio(audio: Uint8Array): void {
    this.#chunk += 1;
    const [chunk, timestamp] = [String(this.#chunk), String(Math.round(this.#sentMs))];
    this.#sentMs += audio.length / 8;
    const payload = Buffer.from(audio).toString('base64');
    this.#send('media', { media: { track: 'inbound', chunk, timestamp, payload } });
  }

  sendDigit(digit: string): void {
    this.#send('dtmf', { dtmf: { track: 'inbound_track', digit } });
  }

  /** It has no text, and asks for nothing to be done. */
  sendText(): void {}
  sendToolResult(): void {}

  onMessage(message: unknown): void {
    const event = readEvent(message);
    switch (event?.event) {
      case 'media':
        this.#conversation.play(Buffer.from(event.media.payload, 'base64'), `${this.#answer}`);
        break;
      case 'mark':
        this.#onMark(event.mark.name);
        break;
      case 'clear':
        this.#answer += 1;
        this.#conversation.interrupted();
        break;
    }
  }

  onLost(code: number | undefined): boolean {
    if (!CLOSED_BY_BOT.has(code ?? 0)) return false;
    this.#conversation.ended('the bot closed the connection');
    return true;
  }

  end(): void {
    const { callSid, accountSid } = this.#ids;
    this.#send('stop', { stop: { accountSid, callSid } });
  }

  #onMark(name: string): void {
    const { marks } = this.#conversation.speech;
    if (this.#marks === MAX_MARKS) throw this.#conversation.error('CF_PROVIDER_PROTOCOL', 'sets too many marks');
    this.#marks += 1;
    marks.at(marks.endMs, () => {
      this.#marks -= 1;
      this.#send('mark', { mark: { name } });
    });
  }

  #send(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#sequence += 1;
    const { streamSid } = this.#ids;
    this.#conversation.send({ event, sequenceNumber: String(this.#sequence), ...fields, streamSid });
  }
}

/** As Twilio's ids look; the same for the same call. */
function sidOf(kind: string, of: string): string {
  return `${kind}${createHash('sha256').update(of).digest('hex').slice(0, 32)}`;
}
