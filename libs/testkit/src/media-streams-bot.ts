import { formatNamed } from '@callfleet/media';
import { AiConnection, type AiMessage, AiServer, spokenPieces } from './ai-server.ts';

/** A bot that speaks Twilio Media Streams, as its users write them. Its answers are tones. */
export function startMediaStreamsBot(): Promise<AiServer<MediaStreamsConnection>> {
  return AiServer.start({
    path: '/media',
    key: ({ headers }) => headers.authorization?.replace(/^Bearer /, ''),
    accept: (socket, server) => new MediaStreamsConnection(socket, server as AiServer<never>),
  });
}

interface Media {
  readonly track: string;
  readonly chunk: string;
  readonly timestamp: string;
  readonly payload: string;
}

/** So much silence ends what the caller says, milliseconds. */
const SILENCE_MS = 300;

export class MediaStreamsConnection extends AiConnection {
  readonly marksReturned: string[] = [];
  /** What is not as Twilio does it. */
  readonly complaints: string[] = [];
  #streamSid = '';
  #sequence = 0;
  #chunk = 0;
  /** Marks that did not come back yet: as long as there are any, it is heard. */
  readonly #marks = new Set<string>();
  #answers = 0;

  /** Sets a mark behind what was said so far. */
  mark(name: string): void {
    this.#marks.add(name);
    this.send({ event: 'mark', streamSid: this.#streamSid, mark: { name } });
  }

  protected onMessage(message: AiMessage): void {
    if (message.event !== 'connected') this.#checkSequence(message);
    switch (message.event) {
      case 'media':
        this.#onMedia(message.media as Media);
        return;
      case 'start':
        this.#streamSid = String(message.streamSid);
        this.listen(formatNamed('ulaw'), SILENCE_MS);
        break;
      case 'mark': {
        const { name } = message.mark as { name: string };
        this.#marks.delete(name);
        this.marksReturned.push(name);
        break;
      }
    }
    this.keep(message);
  }

  protected onSpeechStarted(): void {
    if (this.#marks.size > 0) this.send({ event: 'clear', streamSid: this.#streamSid });
  }

  protected onSpeechStopped(): void {
    const { ms } = this.nextAnswer();
    for (const piece of spokenPieces(formatNamed('ulaw'), ms)) {
      const payload = Buffer.from(piece).toString('base64');
      this.send({ event: 'media', streamSid: this.#streamSid, media: { payload } });
    }
    this.#answers += 1;
    this.mark(`answer ${this.#answers}`);
  }

  #onMedia({ track, chunk, timestamp, payload }: Media): void {
    this.#chunk += 1;
    if (track !== 'inbound' || chunk !== String(this.#chunk) || !/^\d+$/.test(timestamp))
      this.complaints.push(`media ${track} ${chunk} ${timestamp}`);
    this.hear(Buffer.from(payload, 'base64'));
  }

  #checkSequence({ event, sequenceNumber, streamSid }: AiMessage): void {
    this.#sequence += 1;
    if (sequenceNumber !== String(this.#sequence)) this.complaints.push(`${event} is number ${sequenceNumber}`);
    if (!/^MZ[0-9a-f]{32}$/.test(String(streamSid))) this.complaints.push(`${event} of stream ${streamSid}`);
  }
}
