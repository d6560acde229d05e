import { Refusal } from './answer.ts';
import type { Applications } from './applications.ts';
import type { Channel, Membership } from './channel.ts';
import type { Channels } from './channels.ts';
import { ControlQueue } from './control-queue.ts';
import type { PbxClock } from './pbx-clock.ts';

export interface BridgesOptions {
  readonly clock: PbxClock;
  readonly applications: Applications;
  readonly channels: Channels;
}

/**
 * A bridge gives each member what the others say, as it comes: it mixes nothing, so where three speak at once, each hears the
 * frames of two in turn.
 */
export class Bridge implements Membership {
  readonly id: string;
  readonly source: `bridge:${string}`;
  readonly name: string;
  readonly type: string;
  readonly creationtime: string;
  readonly members = new Set<Channel>();
  /** What is played to all, one after the other. */
  readonly control = new ControlQueue();
  readonly #applications: Applications;

  constructor(id: string, name: string, type: string, { clock, applications }: BridgesOptions) {
    this.id = id;
    this.source = `bridge:${id}`;
    this.name = name;
    this.type = type;
    this.creationtime = clock.stamp();
    this.#applications = applications;
  }

  enter(channel: Channel): void {
    channel.bridge?.leave(channel, false);
    channel.bridge = this;
    this.members.add(channel);
    if (channel.stasis !== undefined) this.#applications.subscribe(channel.stasis, this.source);
    this.#applications.tell('ChannelEnteredBridge', { bridge: this, channel }, channel.source, this.source);
  }

  leave(channel: Channel, isGone: boolean): void {
    if (!this.members.delete(channel)) return;
    channel.bridge = undefined;
    this.#applications.tell('ChannelLeftBridge', { bridge: this, channel }, channel.source, this.source);
    // Of one that is hung up, Asterisk keeps the subscription.
    if (!isGone && channel.stasis !== undefined) this.#applications.unsubscribe(channel.stasis, this.source);
  }

  forward(from: Channel, frame: Uint8Array): void {
    for (const member of this.members) if (member !== from) member.hear(frame);
  }

  forwardDigit(from: Channel, digit: string): void {
    for (const member of this.members) if (member !== from) member.end.digit?.(digit);
  }

  toJSON() {
    return {
      id: this.id,
      technology: this.type === 'holding' ? 'holding_bridge' : 'simple_bridge',
      bridge_type: this.type,
      bridge_class: 'stasis',
      creator: 'Stasis',
      name: this.name,
      channels: [...this.members].map(({ id }) => id),
      creationtime: this.creationtime,
      video_mode: 'talker',
    };
  }
}

export class Bridges {
  readonly #options: BridgesOptions;
  readonly #byId = new Map<string, Bridge>();

  constructor(options: BridgesOptions) {
    this.#options = options;
  }

  list(): Bridge[] {
    return [...this.#byId.values()];
  }

  find(id: string): Bridge | undefined {
    return this.#byId.get(id);
  }

  /** @throws Refusal 404, in Asterisk's own spelling */
  get(id: string): Bridge {
    const bridge = this.#byId.get(id);
    if (!bridge) throw new Refusal(404, 'Bridge not found', 'Not found');
    return bridge;
  }

  /** @throws Refusal 409 */
  create(id: string, name: string, types: string): Bridge {
    if (this.#byId.has(id)) throw new Refusal(409, `Bridge with id '${id}' already exists`);
    const type = types.split(',').includes('holding') ? 'holding' : 'mixing';
    const bridge = new Bridge(id, name, type, this.#options);
    this.#byId.set(id, bridge);
    this.#options.applications.tell('BridgeCreated', { bridge }, bridge.source);
    return bridge;
  }

  destroy(bridge: Bridge): void {
    this.#byId.delete(bridge.id);
    bridge.control.close();
    for (const member of [...bridge.members]) bridge.leave(member, false);
    this.#options.applications.tell('BridgeDestroyed', { bridge }, bridge.source);
    this.#options.applications.forget(bridge.source);
  }

  /** The PBX dies. */
  loseAll(): void {
    for (const bridge of this.list()) {
      this.#byId.delete(bridge.id);
      bridge.control.close();
      this.#options.applications.forget(bridge.source);
    }
  }

  /** All are looked at before the first is taken in. @throws Refusal 400, 422 */
  addChannels(bridge: Bridge, ids: readonly string[]): Promise<unknown> | undefined {
    if (ids.length === 0) throw new Refusal(400, 'Channel not found');
    const members = ids.map((id) => {
      const channel = this.#options.channels.find(id);
      if (!channel) throw new Refusal(400, 'Channel not found');
      if (channel.stasis === undefined) throw new Refusal(422, 'Channel not in Stasis application');
      return channel;
    });
    return allOf(members.map((channel) => channel.control.run(() => bridge.enter(channel))));
  }

  /** @throws Refusal 400, 422 */
  removeChannels(bridge: Bridge, ids: readonly string[]): Promise<unknown> | undefined {
    const members = ids.map((id) => {
      const channel = this.#options.channels.find(id);
      if (!channel) throw new Refusal(400, 'Channel not found');
      if (channel.bridge !== bridge) throw new Refusal(422, 'Channel not in this bridge');
      return channel;
    });
    return allOf(members.map((channel) => channel.control.run(() => bridge.leave(channel, false))));
  }
}

/** Undefined where all were done at once. */
function allOf(results: ReadonlyArray<void | Promise<void>>): Promise<unknown> | undefined {
  return results.some((result) => result instanceof Promise) ? Promise.all(results) : undefined;
}
