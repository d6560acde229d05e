import { Refusal } from './answer.ts';
import type { Applications } from './applications.ts';
import { Channel, type ChannelOptions, type ChannelState } from './channel.ts';
import { NORMAL_CLEARING, textOfCause } from './hangup-cause.ts';
import type { PbxClock } from './pbx-clock.ts';

/** Who ends a channel, and so what Asterisk says of it. */
export interface HangUp {
  readonly cause: number;
  /** A request of ARI is told as a soft one, with 32 for a cause, whatever was asked for. */
  readonly by: 'ari' | 'far-end' | 'dialplan';
  readonly techCause?: number;
  /** Told between the hang-up request and the end of the channel. */
  readonly before?: () => void;
}

const SOFT_HANGUP = 32;

export interface ChannelsOptions {
  readonly clock: PbxClock;
  readonly applications: Applications;
  /** `systemname` of the PBX: the beginning of the ids of its channels. */
  readonly name: string;
}

/** The channels of the PBX, and the events of their life in the order of 22.10. */
export class Channels {
  readonly #options: ChannelsOptions;
  readonly #byId = new Map<string, Channel>();
  #count = 0;

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** How many there have been. */
  get count(): number {
    return this.#count;
  }

  list(): Channel[] {
    return [...this.#byId.values()];
  }

  find(id: string): Channel | undefined {
    return this.#byId.get(id);
  }

  /** @throws Refusal 404 */
  get(id: string): Channel {
    const channel = this.#byId.get(id);
    if (!channel) throw new Refusal(404, 'Channel not found');
    return channel;
  }

  /** One that commands can be sent to. @throws Refusal 404, 409 */
  inStasis(id: string): Channel {
    const channel = this.get(id);
    if (channel.stasis === undefined) throw new Refusal(409, 'Channel not in Stasis application');
    return channel;
  }

  /** `<systemname>-<epoch>.<n>`. */
  nextId(): string {
    return `${this.#options.name}-${Math.floor(Date.now() / 1000)}.${this.#count}`;
  }

  /** As it stands at the end of a channel's name. */
  nextNumber(): string {
    return this.#count.toString(16).padStart(8, '0');
  }

  add(options: Omit<ChannelOptions, 'creationtime'>): Channel {
    const channel = new Channel({ ...options, creationtime: this.#options.clock.stamp() });
    this.#byId.set(channel.id, channel);
    this.#count += 1;
    return channel;
  }

  tell(channel: Channel, type: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.#options.applications.tell(type, { ...details, channel }, channel.source);
  }

  /** Dial names the channel otherwise than all other events. */
  tellDial(channel: Channel, details: Readonly<Record<string, unknown>>): void {
    this.#options.applications.tell('Dial', { ...details, peer: channel }, channel.source);
  }

  /** The dialplan, or what stands for it, comes to an application. */
  execute(channel: Channel, application: string, data: string): void {
    channel.dialplan.app_name = application;
    channel.dialplan.app_data = data;
    this.tell(channel, 'ChannelDialplan', { dialplan_app: application, dialplan_app_data: data });
  }

  setState(channel: Channel, state: ChannelState): void {
    if (channel.state === state) return;
    channel.state = state;
    this.tell(channel, 'ChannelStateChange');
  }

  setVariable(channel: Channel, variable: string, value: string): void {
    channel.variables.set(variable, value);
    this.tell(channel, 'ChannelVarset', { variable, value });
  }

  answer(channel: Channel): void {
    if (channel.state === 'Up') return;
    this.setState(channel, 'Up');
    channel.end.answered?.();
  }

  /** The far end presses a key. */
  press(channel: Channel, digit: string, durationMs: number): void {
    channel.bridge?.forwardDigit(channel, digit);
    this.tell(channel, 'ChannelDtmfReceived', { digit, duration_ms: durationMs });
  }

  /** `Stasis(application,...args)`. The application is served: whoever calls has looked. */
  enterStasis(channel: Channel, application: string, args: readonly string[]): void {
    channel.dialplan.app_name = 'Stasis';
    channel.dialplan.app_data = [application, ...args].join(',');
    this.setVariable(channel, 'STASISSTATUS', '');
    channel.stasis = application;
    this.#options.applications.subscribe(application, channel.source);
    this.#options.applications.tellOnly(application, 'StasisStart', { args, channel });
  }

  /** Back to the dialplan. */
  continueInDialplan(channel: Channel, where: { context?: string; extension?: string; priority?: number }): void {
    this.#leaveStasis(channel, false);
    if (channel.onContinued) channel.onContinued(where);
    else this.hangUp(channel, { cause: NORMAL_CLEARING, by: 'dialplan' });
  }

  /** Into another application, without a word to the dialplan. */
  move(channel: Channel, application: string, args: readonly string[]): void {
    const from = channel.stasis as string;
    if (!this.#options.applications.isServed(application)) {
      this.#options.applications.tellOnly(from, 'ApplicationMoveFailed', { channel, destination: application, args });
      return;
    }
    channel.bridge?.leave(channel, false);
    this.#options.applications.tellOnly(from, 'StasisEnd', { channel });
    this.#options.applications.unsubscribe(from, channel.source);
    this.enterStasis(channel, application, args);
  }

  hangUp(channel: Channel, { by, cause, techCause, before }: HangUp): void {
    if (channel.isGone) return;
    channel.isGone = true;
    const request = by === 'far-end' ? { cause } : { cause: by === 'ari' ? SOFT_HANGUP : cause, soft: true };
    this.tell(channel, 'ChannelHangupRequest', request);
    before?.();
    if (channel.stasis !== undefined) {
      this.#leaveStasis(channel, true);
      // The dialplan finds it hung up.
      if (channel.hasDialplan) this.tell(channel, 'ChannelHangupRequest', { cause: NORMAL_CLEARING, soft: true });
    }
    channel.bridge?.leave(channel, true);
    for (const end of channel.onGone.splice(0)) end();
    channel.dialplan.app_name = '';
    channel.dialplan.app_data = '';
    this.tell(channel, 'ChannelDestroyed', {
      cause,
      cause_txt: textOfCause(cause),
      ...(techCause !== undefined && { tech_cause: techCause }),
    });
    this.#forget(channel, cause);
  }

  /** The PBX dies: nobody is told anything. */
  loseAll(): void {
    for (const channel of this.list()) {
      channel.isGone = true;
      for (const end of channel.onGone.splice(0)) end();
      this.#forget(channel, 0);
    }
  }

  #forget(channel: Channel, cause: number): void {
    this.#byId.delete(channel.id);
    channel.control.close();
    this.#options.applications.forget(channel.source);
    channel.end.closed(cause);
  }

  #leaveStasis(channel: Channel, isGone: boolean): void {
    const application = channel.stasis;
    if (application === undefined) return;
    if (isGone) channel.control.close();
    channel.bridge?.leave(channel, isGone);
    channel.stasis = undefined;
    this.#options.applications.tellOnly(application, 'StasisEnd', { channel });
    this.#options.applications.unsubscribe(application, channel.source);
    this.setVariable(channel, 'STASISSTATUS', 'SUCCESS');
  }
}
