import { ControlQueue } from './control-queue.ts';

export type ChannelState = 'Down' | 'Ring' | 'Ringing' | 'Up';

/** Who or what is at the far end of a channel: a caller, somebody called, a media leg. */
export interface ChannelEnd {
  /** 20 ms in µ-law for the far end, from the bridge. A view: it is not kept. */
  hear(frame: Uint8Array): void;
  /** A key that somebody in the bridge pressed. */
  digit?(digit: string): void;
  /** The PBX has answered. */
  answered?(): void;
  /** A sound of the PBX begins; undefined: it is over. */
  sound?(mediaUri: string | undefined): void;
  /** The channel is gone; nothing is told after it. */
  closed(cause: number): void;
}

/** What a channel is in, and must leave when it goes. */
export interface Membership {
  readonly id: string;
  /** @param isGone the channel is hung up */
  leave(channel: Channel, isGone: boolean): void;
  forward(from: Channel, frame: Uint8Array): void;
  forwardDigit(from: Channel, digit: string): void;
}

export interface CallerId {
  readonly name: string;
  readonly number: string;
}

export interface ChannelOptions {
  readonly id: string;
  readonly name: string;
  readonly state: ChannelState;
  readonly end: ChannelEnd;
  readonly caller?: CallerId;
  readonly connected?: CallerId;
  readonly protocolId?: string;
  readonly context?: string;
  readonly extension?: string;
  readonly creationtime: string;
  readonly variables?: Readonly<Record<string, string>>;
}

/** One channel, as `GET /channels` tells of it, and what it is in. */
export class Channel {
  readonly id: string;
  readonly source: `channel:${string}`;
  readonly name: string;
  readonly end: ChannelEnd;
  readonly control = new ControlQueue();
  readonly variables: Map<string, string>;
  readonly creationtime: string;
  readonly protocolId: string;
  readonly caller: CallerId;
  connected: CallerId;
  readonly dialplan: { context: string; exten: string; priority: number; app_name: string; app_data: string };
  state: ChannelState;
  /** The Stasis application that it is in. */
  stasis: string | undefined;
  bridge: Membership | undefined;
  /** What becomes of it when it leaves Stasis otherwise than by a hang-up. Default: it is hung up. */
  onContinued: ((where: { context?: string; extension?: string; priority?: number }) => void) | undefined;
  /** Told before it goes: what it would take with it. */
  readonly onGone: Array<() => void> = [];
  /** Has a dialplan of its own to go on in: it is told to be hung up once more by it. */
  hasDialplan = false;
  /** What it was dialled with; undefined: it was not, or not yet. */
  dialled: (() => void) | undefined;
  isMutedIn = false;
  isMutedOut = false;
  isGone = false;

  constructor(options: ChannelOptions) {
    const { id, name, state, end, caller, connected, protocolId = '', context = 'default' } = options;
    this.id = id;
    this.source = `channel:${id}`;
    this.name = name;
    this.state = state;
    this.end = end;
    this.caller = caller ?? { name: '', number: '' };
    this.connected = connected ?? { name: '', number: '' };
    this.protocolId = protocolId;
    this.creationtime = options.creationtime;
    this.dialplan = { context, exten: options.extension ?? 's', priority: 1, app_name: '', app_data: '' };
    this.variables = new Map(Object.entries(options.variables ?? {}));
  }

  /** What its far end says goes to whom it is bridged with. */
  speak(frame: Uint8Array): void {
    if (!this.isMutedIn) this.bridge?.forward(this, frame);
  }

  hear(frame: Uint8Array): void {
    if (!this.isMutedOut) this.end.hear(frame);
  }

  toJSON() {
    return {
      id: this.id,
      name: this.name,
      state: this.state,
      protocol_id: this.protocolId,
      caller: this.caller,
      connected: this.connected,
      accountcode: '',
      dialplan: { ...this.dialplan },
      creationtime: this.creationtime,
      language: 'en',
    };
  }
}
