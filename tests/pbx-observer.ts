import { AriSocket, applications, expectOk } from '@callfleet/ari';
import { callIdOf } from '@callfleet/identity';
import type { Asterisk } from '@callfleet/testkit';
import type { IncomingEvent } from '../services/ari-gateway/src/events/channel-index.ts';
import { EVENT_FILTER } from '../services/ari-gateway/src/events/event-filter.ts';
import { eventId } from '../services/ari-gateway/src/events/event-id.ts';

interface SeenEvent {
  /** As a gateway gives it: the same event, the same id. */
  readonly id: string;
  readonly type: string;
  /** Of the PBX's clock. */
  readonly at: number;
}

/** One more application on a PBX, which is told of every channel there is: what Asterisk itself says has happened. */
export class PbxObserver {
  readonly pbx: Asterisk;
  /** By the id of the channel. */
  readonly #seen = new Map<string, SeenEvent[]>();
  #socket: AriSocket | undefined;

  private constructor(pbx: Asterisk) {
    this.pbx = pbx;
  }

  static async watch(pbx: Asterisk): Promise<PbxObserver> {
    const observer = new PbxObserver(pbx);
    const { httpUrl: url, username, password } = pbx;
    const onEvent = (event: IncomingEvent) => observer.#note(event);
    const socket = await AriSocket.connect({ url, username, password, apps: ['observer'], onEvent });
    observer.#socket = socket;
    const applicationName = 'observer';
    expectOk(await socket.request(applications.filter({ applicationName, filter: EVENT_FILTER })));
    expectOk(await socket.request(applications.subscribe({ applicationName, eventSource: ['channel:'] })));
    return observer;
  }

  /** What happened to a channel after that time, in order. */
  seenOf(channel: string, after: number): SeenEvent[] {
    return (this.#seen.get(channel) ?? []).filter(({ at }) => at > after);
  }

  async close(): Promise<void> {
    await this.#socket?.close();
  }

  #note(event: IncomingEvent): void {
    const { channel, timestamp, type } = event as IncomingEvent & { channel?: { id: string }; timestamp: string };
    if (!channel) return;
    const seen = this.#seen.get(channel.id) ?? [];
    this.#seen.set(channel.id, seen);
    const id = eventId(callIdOf(this.pbx.name, channel.id), event as unknown as Record<string, unknown>);
    seen.push({ id, type, at: Date.parse(timestamp) });
  }
}
