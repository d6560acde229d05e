import { AriSocket, applications, expectOk } from '@callfleet/ari';
import type { CallEvent } from '@callfleet/bus';
import type { Asterisk } from '@callfleet/testkit';

const APPLICATION = 'witness';

/** Of no call's events either, but it shows where the dialplan has gone. */
const STEP = 'ChannelDialplan';
const FALLBACK = 'callfleet-fallback';

/** What gateways have Asterisk hold back, too. */
const NOISE = ['ChannelVarset', 'ChannelCallerId', 'ChannelConnectedLine', 'DeviceStateChanged'];

interface Channel {
  readonly id: string;
  readonly caller?: { readonly number: string };
  readonly dialplan?: { readonly context: string };
}

type Told = Readonly<Record<string, unknown>> & { readonly channel?: Channel };

interface SeenEvent {
  /** The event, without the application that it was told to. */
  readonly text: string;
  readonly type: string;
  /** On Asterisk's clock. */
  readonly at: number;
}

/** One more application on a PBX, told of every channel there is: what Asterisk itself says has happened. */
export class PbxWitness {
  readonly pbx: string;
  /** Numbers of callers that came to the fallback. */
  readonly sentAway = new Set<string>();
  readonly #seen = new Map<string, SeenEvent[]>();
  #socket: AriSocket | undefined;

  private constructor(pbx: string) {
    this.pbx = pbx;
  }

  static async watch(pbx: Asterisk): Promise<PbxWitness> {
    const witness = new PbxWitness(pbx.name);
    const { httpUrl: url, username, password } = pbx;
    const onEvent = (event: unknown) => witness.#note(event as Told);
    const socket = await AriSocket.connect({ url, username, password, apps: [APPLICATION], onEvent });
    witness.#socket = socket;
    const filter = { disallowed: NOISE.map((type) => ({ type })) };
    expectOk(await socket.request(applications.filter({ applicationName: APPLICATION, filter })));
    expectOk(await socket.request(applications.subscribe({ applicationName: APPLICATION, eventSource: ['channel:'] })));
    return witness;
  }

  /** What happened to a channel since that time, in order. */
  seenOf(channelId: string, since: number): readonly SeenEvent[] {
    return (this.#seen.get(channelId) ?? []).filter(({ at }) => at > since);
  }

  async close(): Promise<void> {
    await this.#socket?.close();
  }

  #note(event: Told): void {
    if (!event.channel) return;
    const { caller, dialplan } = event.channel;
    if (dialplan?.context === FALLBACK && caller) this.sentAway.add(caller.number);
    if (event.type === STEP) return;
    const seen = this.#seen.get(event.channel.id) ?? [];
    this.#seen.set(event.channel.id, seen);
    seen.push({ text: textOf(event), type: String(event.type), at: Date.parse(String(event.timestamp)) });
  }
}

/** Of these, what no call event tells. */
export function unpublished(seen: readonly SeenEvent[], events: readonly CallEvent[]): SeenEvent[] {
  const told = new Set(events.map(({ data }) => textOf(data)));
  return seen.filter(({ text }) => !told.has(text));
}

function textOf({ application: _, ...event }: Told): string {
  return JSON.stringify(event);
}
