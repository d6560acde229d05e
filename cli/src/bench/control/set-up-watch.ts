import { AriSocket, applications, expectOk } from '@callfleet/ari';
import type { Asterisk } from '@callfleet/testkit';

const APPLICATION = 'bench-watch';
const STEP = 'ChannelDialplan';
const CHANGE = 'ChannelStateChange';
const NOISE = ['ChannelCreated', 'ChannelVarset', 'ChannelCallerId', 'ChannelHangupRequest', 'ChannelDestroyed'];

interface Told {
  readonly type: string;
  readonly timestamp: string;
  readonly dialplan_app?: string;
  readonly channel?: { readonly id: string; readonly state: string };
}

interface SetUp {
  /** When it entered Stasis(), on Asterisk's clock, milliseconds. */
  readonly enteredAt: number;
  upAt?: number;
}

/** How long calls wait for their answer, on Asterisk's own clock: one more application on it, told of every channel. */
export class SetUpWatch {
  #calls = new Map<string, SetUp>();
  #socket: AriSocket | undefined;

  static async on({ httpUrl: url, username, password }: Asterisk): Promise<SetUpWatch> {
    const watch = new SetUpWatch();
    const onEvent = (event: unknown) => watch.#note(event as Told);
    const socket = await AriSocket.connect({ url, username, password, apps: [APPLICATION], onEvent });
    watch.#socket = socket;
    // A list of those allowed would hold back the answers to our own requests, too.
    const filter = { disallowed: NOISE.map((type) => ({ type })) };
    expectOk(await socket.request(applications.filter({ applicationName: APPLICATION, filter })));
    expectOk(await socket.request(applications.subscribe({ applicationName: APPLICATION, eventSource: ['channel:'] })));
    return watch;
  }

  /** Of the calls since it was asked last: from Stasis() to Up each, milliseconds, and how many never came so far. */
  take(): { setUpMs: number[]; notUp: number } {
    const calls = [...this.#calls.values()];
    this.#calls = new Map();
    const setUpMs = calls.flatMap(({ enteredAt, upAt }) => (upAt === undefined ? [] : [upAt - enteredAt]));
    return { setUpMs, notUp: calls.length - setUpMs.length };
  }

  async close(): Promise<void> {
    await this.#socket?.close();
  }

  #note({ type, timestamp, dialplan_app, channel }: Told): void {
    if (!channel) return;
    const at = Date.parse(timestamp);
    const call = this.#calls.get(channel.id);
    if (type === STEP && dialplan_app === 'Stasis' && !call) this.#calls.set(channel.id, { enteredAt: at });
    if (type === CHANGE && channel.state === 'Up' && call) call.upAt ??= at;
  }
}
