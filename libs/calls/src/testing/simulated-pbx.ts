import type { AriRequest } from '@callfleet/ari';
import { TrunkRefusedError } from '../errors.ts';
import { SimulatedChannel } from './simulated-channel.ts';
import { SimulatedRecordings } from './simulated-recordings.ts';
import { SimulatedSounds } from './simulated-sounds.ts';
import { farEnd, type SimulatedWorld, SimulationError } from './simulated-world.ts';
import type { SimulatedEndpoint } from './simulation-options.ts';
import type { Answer } from './staged-call.ts';

const DONE: Answer = { status: 204 };
const NO_CHANNEL: Answer = { status: 404, reason: 'Channel not found' };
const NO_BRIDGE: Answer = { status: 404, reason: 'Bridge not found' };
const NO_PLAYBACK: Answer = { status: 404, reason: 'Playback not found' };
const NO_RECORDING: Answer = { status: 404, reason: 'Recording not found' };
const EXISTS: Answer = { status: 409, reason: 'it exists already' };

/** How long an endpoint rings before it does something, and a phone needs to follow a REFER, milliseconds. */
const RING_MS = 1000;

/** Why a channel is hung up, as ARI names it. */
const HANGUP_CAUSES: Readonly<Record<string, number>> = {
  normal: 16,
  busy: 17,
  congestion: 34,
  no_answer: 19,
  timeout: 18,
  rejected: 21,
  unallocated: 1,
  answered_elsewhere: 26,
};

/** Whom we call, of a call that we place. */
const CALLEE = 'callee';

const ENDPOINT_CAUSES = { busy: 17, rejects: 21 } as const;

/** One request, with what is in its path. */
interface Asked {
  readonly ids: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** The operation of the program that asks; undefined for what the runtime does by itself. */
  readonly operation: string | undefined;
}

type Handler = (asked: Asked) => Answer;
type ChannelHandler = (channel: SimulatedChannel, asked: Asked) => Answer | undefined;

/** An Asterisk that is simulated: it answers the requests of one call as the real one does, and tells its events. */
export class SimulatedPbx {
  readonly caller: SimulatedChannel;
  readonly #world: SimulatedWorld;
  readonly #sounds: SimulatedSounds;
  readonly #recordings: SimulatedRecordings;
  readonly #channels = new Map<string, SimulatedChannel>();
  readonly #bridges = new Map<string, Set<SimulatedChannel>>();
  /** What whom we call does then. */
  readonly #onAnswered: Array<() => void> = [];
  /** Channel that is spied on, by the id of its snoop. */
  readonly #spied = new Map<string, SimulatedChannel>();

  constructor(world: SimulatedWorld, callerId: string) {
    this.#world = world;
    this.#sounds = new SimulatedSounds(world);
    this.#recordings = new SimulatedRecordings(world);
    const label = farEnd(world.options);
    const isThere = world.options.direction === 'outbound' ? 'Up' : 'Ring';
    this.caller = this.#newChannel(callerId, label, label === CALLEE ? 'Down' : isThere);
    // Until it is made.
    if (label === CALLEE) this.#channels.delete(callerId);
    for (const [name, value] of Object.entries(world.options.variables ?? {})) this.caller.variables.set(name, value);
  }

  /** At once; of somebody whom we call, when they have answered. */
  onceThere(action: () => void): void {
    if (this.caller.state === 'Down' || this.caller.state === 'Ringing') this.#onAnswered.push(action);
    else action();
  }

  /** The leg to an endpoint: the last, if it was dialled more than once. @throws SimulationError */
  leg(endpoint: string): SimulatedChannel {
    const leg = [...this.#channels.values()].findLast(({ label }) => label === endpoint);
    if (leg) return leg;
    const known = [...this.#channels.values()].map(({ label }) => label).filter((label) => label !== this.caller.label);
    throw new SimulationError(`nobody has dialled ${endpoint}; there is ${known.join(', ') || 'no leg'}`);
  }

  answer(request: AriRequest<unknown>, operation: string | undefined): Answer {
    const handler = this.#handlers[`${request.method} ${request.route}`];
    if (!handler) throw new SimulationError(`the simulated PBX does not know ${request.method} ${request.route}`);
    return handler({ ids: idsOf(request), query: request.query, body: request.body, operation });
  }

  readonly #handlers: Readonly<Record<string, Handler>> = {
    'POST /channels/{channelId}/answer': this.#onChannel((channel) => {
      this.#did(channel, 'answer');
      channel.moveTo('Up');
    }),
    'POST /channels/{channelId}/ring': this.#onChannel((channel) => this.#did(channel, 'ring')),
    'DELETE /channels/{channelId}': this.#onChannel((channel, { query, operation }) => {
      const reason = query.reason ?? 'normal';
      if (operation === 'dial' || operation === 'originate') this.#world.transcript.add(channel.label, 'stops ringing');
      else if (operation?.endsWith('hangup')) this.#did(channel, reason === 'normal' ? 'hangup' : `hangup ${reason}`);
      channel.end(HANGUP_CAUSES[reason] ?? 16);
    }),
    'POST /channels/{channelId}/continue': this.#onChannel((channel, { query }) => {
      const { context, extension, priority } = query;
      const target = [context, extension, priority].filter((part) => part !== undefined).join(',');
      this.#did(channel, target === '' ? 'continueInDialplan' : `continueInDialplan ${target}`);
      channel.leave();
    }),
    'POST /channels/{channelId}/redirect': this.#onChannel((channel, { query }) => {
      const endpoint = query.endpoint ?? '';
      this.#did(channel, `transfer blind ${endpoint}`);
      const { answer, afterMs } = this.#endpoint(endpoint);
      if (answer === 'answers') this.#world.clock.after(afterMs, () => channel.end(16));
    }),
    'POST /channels/{channelId}/dtmf': this.#onChannel((channel, { query }) =>
      this.#did(channel, `sendDtmf ${query.dtmf}`),
    ),
    'POST /channels/{channelId}/moh': this.#onChannel((channel, { operation, query }) => {
      const music = query.mohClass === undefined ? '' : ` ${query.mohClass}`;
      this.#did(channel, `hold${music}`, operation);
    }),
    'DELETE /channels/{channelId}/moh': this.#onChannel((channel, { operation }) =>
      this.#did(channel, 'unhold', operation),
    ),
    'POST /channels/{channelId}/mute': this.#onChannel((channel, { query }) =>
      this.#did(channel, `mute ${query.direction}`),
    ),
    'DELETE /channels/{channelId}/mute': this.#onChannel((channel, { query }) =>
      this.#did(channel, `unmute ${query.direction}`),
    ),
    'GET /channels/{channelId}/variable': this.#onChannel((channel, { query }) => {
      const name = query.variable ?? '';
      this.#did(channel, `getVariable ${name}`);
      const value = channel.variables.get(name);
      if (value === undefined) return { status: 404, reason: 'Provided variable was not found' };
      return { status: 200, body: { value } };
    }),
    'POST /channels/{channelId}/variable': this.#onChannel((channel, { query }) => {
      const { variable = '', value = '' } = query;
      this.#did(channel, `setVariable ${variable}=${value}`);
      channel.variables.set(variable, value);
    }),
    'POST /channels/{channelId}/play/{playbackId}': this.#onChannel((channel, { ids, query }) => {
      const media = (query.media ?? '').split(',');
      this.#did(channel, `play ${media.join(', ')}`);
      this.#sounds.play(ids.playbackId ?? '', channel.id, media);
      return { status: 201, body: { id: ids.playbackId, state: 'queued' } };
    }),
    'DELETE /playbacks/{playbackId}': ({ ids }) => (this.#sounds.stop(ids.playbackId ?? '') ? DONE : NO_PLAYBACK),
    'POST /channels/{channelId}/snoop/{snoopId}': this.#onChannel((channel, { ids, query, operation }) => {
      const id = ids.snoopId ?? '';
      if (this.#channels.has(id)) return { status: 500, reason: 'Allocation failed' };
      if (operation?.endsWith('snoop'))
        this.#did(channel, `snoop spy=${query.spy ?? 'none'} whisper=${query.whisper ?? 'none'}`);
      this.#spied.set(id, channel);
      this.#newChannel(id, `snoop of ${channel.label}`, 'Up').tell('StasisStart');
      return { status: 200, body: { id } };
    }),
    'POST /channels/{channelId}/record': this.#onChannel((channel, { query }) => {
      const name = query.name ?? '';
      if (this.#recordings.has(name)) return EXISTS;
      const party = this.#spied.get(channel.id) ?? channel;
      this.#did(party, 'record');
      const maxDurationMs = 1000 * Number(query.maxDurationSeconds ?? 0);
      const maxSilenceMs = 1000 * Number(query.maxSilenceSeconds ?? 0);
      this.#recordings.start({ name, snoop: channel.id, party, maxDurationMs, maxSilenceMs });
      return { status: 201, body: { name, state: 'recording' } };
    }),
    'POST /recordings/live/{recordingName}/stop': ({ ids }) =>
      this.#recordings.stop(ids.recordingName ?? '') ? DONE : NO_RECORDING,
    'POST /recordings/live/{recordingName}/pause': ({ ids }) =>
      this.#recordings.pause(ids.recordingName ?? '') ? DONE : NO_RECORDING,
    'DELETE /recordings/live/{recordingName}/pause': ({ ids }) =>
      this.#recordings.resume(ids.recordingName ?? '') ? DONE : NO_RECORDING,
    'POST /channels/create': ({ query, body }) => {
      const { endpoint = '', channelId = '' } = query;
      if (this.#channels.has(channelId)) return EXISTS;
      const isCallee = channelId === this.caller.id;
      const label = isCallee ? CALLEE : endpoint;
      const { answer } = this.#endpoint(label);
      // No program has begun.
      if (isCallee) this.#world.transcript.add('callfleet', `dials ${endpoint}`);
      else this.#world.transcript.add('program', `dial ${endpoint}`);
      if (answer === 'congested') {
        this.#world.transcript.add(label, 'is congested');
        throw new TrunkRefusedError('CF_TRUNK_FULL', 'the trunk has as many calls as it may');
      }
      if (answer === 'unreachable') {
        this.#world.transcript.add(label, 'is unreachable');
        return { status: 500, reason: 'Allocation failed' };
      }
      const leg = isCallee ? this.caller : this.#newChannel(channelId, endpoint, 'Down');
      this.#channels.set(channelId, leg);
      const { variables = {} } = (body ?? {}) as { variables?: Record<string, string> };
      for (const [name, value] of Object.entries(variables)) leg.variables.set(name, value);
      leg.tell('StasisStart');
      return { status: 200, body: { id: channelId } };
    },
    'POST /channels/{channelId}/dial': this.#onChannel((leg) => {
      if (leg.state !== 'Down') return { status: 409, reason: 'Channel is not in the Down state' };
      this.#ring(leg);
      return DONE;
    }),
    'POST /channels/externalMedia': ({ query, body }) => {
      const id = query.channelId ?? (body as { channelId?: string } | undefined)?.channelId ?? '';
      if (this.#channels.has(id)) return EXISTS;
      this.#newChannel(id, 'bot', 'Up').tell('StasisStart');
      return { status: 200, body: { id, channelvars: { UNICASTRTP_LOCAL_PORT: '10000' } } };
    },
    'POST /bridges/{bridgeId}': ({ ids }) => {
      const id = ids.bridgeId ?? '';
      if (this.#bridges.has(id)) return EXISTS;
      this.#bridges.set(id, new Set());
      return { status: 200, body: { id, channels: [] } };
    },
    'GET /bridges/{bridgeId}': ({ ids }) => {
      const bridge = this.#bridges.get(ids.bridgeId ?? '');
      if (!bridge) return NO_BRIDGE;
      return { status: 200, body: { id: ids.bridgeId, channels: [...bridge].map(({ id }) => id) } };
    },
    'DELETE /bridges/{bridgeId}': ({ ids }) => {
      const id = ids.bridgeId ?? '';
      for (const channel of this.#bridges.get(id) ?? []) this.#takeOut(channel);
      this.#sounds.forget(id);
      return this.#bridges.delete(id) ? DONE : NO_BRIDGE;
    },
    'POST /bridges/{bridgeId}/addChannel': (asked) => this.#takeIn(asked),
    'POST /bridges/{bridgeId}/removeChannel': ({ ids, query, operation }) => {
      const channel = this.#channels.get(query.channel ?? '');
      const bridge = this.#bridges.get(ids.bridgeId ?? '');
      if (!bridge) return NO_BRIDGE;
      if (!channel) return { status: 400, reason: 'Channel not found' };
      if (!bridge.has(channel)) return { status: 422, reason: 'Channel not in this bridge' };
      if (operation === 'room.leave') this.#did(channel, 'leave', operation);
      this.#takeOut(channel);
      return DONE;
    },
    'POST /bridges/{bridgeId}/play/{playbackId}': ({ ids, query }) => {
      const id = ids.bridgeId ?? '';
      if (!this.#bridges.has(id)) return NO_BRIDGE;
      const media = (query.media ?? '').split(',');
      this.#world.transcript.add('program', `room.announce ${media.join(', ')}`);
      this.#sounds.play(ids.playbackId ?? '', id, media);
      return { status: 201, body: { id: ids.playbackId, state: 'queued' } };
    },
  };

  #takeIn({ ids, query, operation }: Asked): Answer {
    const bridge = this.#bridges.get(ids.bridgeId ?? '');
    if (!bridge) return NO_BRIDGE;
    const channels = (query.channel ?? '').split(',').map((id) => this.#channels.get(id));
    if (channels.some((channel) => channel === undefined || channel.isOver))
      return { status: 400, reason: 'Channel not found' };
    const who = channels.map((channel) => channel?.label).join(', ');
    if (/^(bridge|conference|room)\b/.test(operation ?? ''))
      this.#world.transcript.add('program', `${operation} ${nameOf(ids.bridgeId ?? '')}${who}`);
    for (const channel of channels as SimulatedChannel[]) {
      if (bridge.has(channel)) continue;
      this.#takeOut(channel);
      bridge.add(channel);
      channel.tell('ChannelEnteredBridge', { bridge: { id: ids.bridgeId } });
    }
    return DONE;
  }

  #takeOut(channel: SimulatedChannel): void {
    for (const [id, members] of this.#bridges)
      if (members.delete(channel)) channel.tell('ChannelLeftBridge', { bridge: { id } });
  }

  #ring(leg: SimulatedChannel): void {
    const { clock, transcript } = this.#world;
    const { answer, afterMs, does } = this.#endpoint(leg.label);
    leg.moveTo('Ringing');
    if (answer === 'no-answer' || answer === 'unreachable' || answer === 'congested') return;
    clock.after(afterMs, () => {
      if (leg.isOver) return;
      if (answer !== 'answers') {
        transcript.add(leg.label, answer === 'busy' ? 'is busy' : 'rejects');
        leg.end(ENDPOINT_CAUSES[answer]);
        return;
      }
      transcript.add(leg.label, 'answers');
      leg.moveTo('Up');
      leg.does(does);
      if (leg === this.caller) for (const action of this.#onAnswered.splice(0)) action();
    });
  }

  #endpoint(name: string): { [Key in keyof SimulatedEndpoint]-?: NonNullable<SimulatedEndpoint[Key]> } {
    const { callee, endpoints } = this.#world.options;
    const scripted = (name === CALLEE ? callee : endpoints?.[name]) ?? 'answers';
    const endpoint = typeof scripted === 'string' ? { answer: scripted } : scripted;
    return { answer: endpoint.answer ?? 'answers', afterMs: endpoint.afterMs ?? RING_MS, does: endpoint.does ?? [] };
  }

  #newChannel(id: string, label: string, state: SimulatedChannel['state']): SimulatedChannel {
    const channel = new SimulatedChannel(this.#world, { id, label, state, onOver: () => this.#onOver(channel) });
    this.#channels.set(id, channel);
    return channel;
  }

  /** Its snoops and what it heard end with a channel; a bridge does not. */
  #onOver(channel: SimulatedChannel): void {
    this.#sounds.forget(channel.id);
    this.#recordings.stopOf(channel.id);
    this.#takeOut(channel);
    for (const [snoopId, spied] of this.#spied) if (spied === channel) this.#channels.get(snoopId)?.end(16);
  }

  /** Something that needs its channel, and is answered 204 unless it says otherwise. */
  #onChannel(handle: ChannelHandler | ((channel: SimulatedChannel, asked: Asked) => void)): Handler {
    return (asked) => {
      const channel = this.#channels.get(asked.ids.channelId ?? '');
      if (!channel || channel.isOver) return NO_CHANNEL;
      return handle(channel, asked) ?? DONE;
    };
  }

  /** What the program did with one channel; in a room by the room's word for it. */
  #did({ label }: SimulatedChannel, what: string, operation = ''): void {
    if (operation.startsWith('room.')) this.#world.transcript.add('program', `${operation} ${label}`);
    else this.#world.transcript.add('program', label === this.caller.label ? what : `${label}: ${what}`);
  }
}

/** The ids in a request's path, by their names in its route. */
function idsOf({ route, path }: AriRequest<unknown>): Record<string, string> {
  const values = path.split('/');
  const ids: Record<string, string> = {};
  for (const [n, part] of route.slice(1).split('/').entries())
    if (part.startsWith('{')) ids[part.slice(1, -1)] = decodeURIComponent(values[n] ?? '');
  return ids;
}

/** A conference has a name; a room of one call has none. */
function nameOf(bridgeId: string): string {
  const name = /^conference-(.*)$/.exec(bridgeId)?.[1];
  return name === undefined ? '' : `${decodeURIComponent(name)}: `;
}
