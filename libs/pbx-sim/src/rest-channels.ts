import { randomUUID } from 'node:crypto';
import { created, NO_CONTENT, ok, Refusal } from './answer.ts';
import type { Applications } from './applications.ts';
import type { Channel } from './channel.ts';
import type { Channels } from './channels.ts';
import type { Dialplan } from './dialplan.ts';
import { type Endpoints, isTechnology, NOBODY } from './endpoints.ts';
import { causeOfReason } from './hangup-cause.ts';
import type { MediaLegs } from './media-legs.ts';
import type { Parameters } from './parameters.ts';
import type { Playbacks } from './playbacks.ts';
import type { Recordings } from './recordings.ts';
import type { Ids, Routes } from './rest-routes.ts';

export interface ChannelRoutesParts {
  readonly applications: Applications;
  readonly channels: Channels;
  readonly dialplan: Dialplan;
  readonly endpoints: Endpoints;
  readonly legs: MediaLegs;
  readonly playbacks: Playbacks;
  readonly recordings: Recordings;
}

const NO_BODY = () => NO_CONTENT;

/** `/channels` of ARI, as far as call programs and gateways use it. */
export function channelRoutes(parts: ChannelRoutesParts): Routes {
  const { channels, legs, playbacks, recordings } = parts;
  const { originate, create, dial, snoop } = creation(parts);

  /** Waits its turn behind sounds and recordings. */
  const command = (act: (channel: Channel, parameters: Parameters) => void) => (ids: Ids, parameters: Parameters) => {
    const channel = channels.inStasis(ids.channelId as string);
    const result = channel.control.run(() => act(channel, parameters));
    return result instanceof Promise ? result.then(NO_BODY) : NO_CONTENT;
  };
  const play = (ids: Ids, parameters: Parameters) => {
    const channel = channels.inStasis(ids.channelId as string);
    const media = parameters.list('media');
    if (media.length === 0) throw new Refusal(400, 'media is required');
    const playbackId = ids.playbackId ?? parameters.text('playbackId') ?? randomUUID();
    const { source, control } = channel;
    return created(playbacks.play(playbackId, media, { source, control, sound: (uri) => channel.end.sound?.(uri) }));
  };

  return {
    'GET channels': () => ok(channels.list()),
    'POST channels': (_, parameters) => ok(originate(parameters)),
    'POST channels/create': (_, parameters) => ok(create(parameters)),
    'POST channels/externalMedia': (_, parameters) => legs.make(parameters),
    'GET channels/{channelId}': ({ channelId = '' }) => ok(channels.get(channelId)),
    'POST channels/{channelId}': ({ channelId }, parameters) => ok(originate(parameters, channelId)),
    'DELETE channels/{channelId}': ({ channelId = '' }, parameters) => {
      const channel = channels.get(channelId);
      const cause = causeOfReason(parameters.text('reason'), parameters.text('reason_code'));
      channels.hangUp(channel, { cause, by: 'ari' });
      return NO_CONTENT;
    },
    'POST channels/{channelId}/answer': command((channel) => channels.answer(channel)),
    'POST channels/{channelId}/ring': command(() => {}),
    'DELETE channels/{channelId}/ring': command(() => {}),
    'POST channels/{channelId}/dial': dial,
    'POST channels/{channelId}/continue': command((channel, parameters) => {
      const [context, extension, priority] = ['context', 'extension', 'priority'].map((name) => parameters.text(name));
      channels.continueInDialplan(channel, {
        ...(context && { context }),
        ...(extension && { extension }),
        ...(priority && { priority: Number(priority) }),
      });
    }),
    'POST channels/{channelId}/move': command((channel, parameters) =>
      channels.move(channel, parameters.required('app', 'app is required'), parameters.list('appArgs')),
    ),
    'POST channels/{channelId}/redirect': command((channel, parameters) => {
      const endpoint = parameters.required('endpoint', 'Endpoint must be specified');
      const technology = endpoint.slice(0, endpoint.indexOf('/'));
      const own = channel.name.slice(0, channel.name.indexOf('/'));
      if (technology !== own)
        throw new Refusal(422, `Endpoint technology '${technology}' does not match channel technology '${own}'`);
      channels.hangUp(channel, { cause: 16, by: 'far-end' });
    }),
    'POST channels/{channelId}/dtmf': (ids, parameters) => {
      const channel = channels.inStasis(ids.channelId as string);
      for (const digit of parameters.required('dtmf', 'DTMF is required')) channel.end.digit?.(digit);
      return NO_CONTENT;
    },
    'POST channels/{channelId}/mute': command((channel, parameters) => setMuted(channel, parameters, true)),
    'DELETE channels/{channelId}/mute': command((channel, parameters) => setMuted(channel, parameters, false)),
    'POST channels/{channelId}/hold': command(() => {}),
    'DELETE channels/{channelId}/hold': command(() => {}),
    'POST channels/{channelId}/moh': command((channel) => channel.end.sound?.('moh:default')),
    'DELETE channels/{channelId}/moh': command((channel) => channel.end.sound?.(undefined)),
    'POST channels/{channelId}/silence': command(() => {}),
    'DELETE channels/{channelId}/silence': command(() => {}),
    'GET channels/{channelId}/variable': ({ channelId = '' }, parameters) => {
      const channel = channels.find(channelId);
      if (!channel) throw new Refusal(404, 'Provided channel was not found', 'Channel Not Found');
      const value = valueIn(channel, parameters.required('variable', 'Variable name is required'));
      if (value === undefined) throw new Refusal(404, 'Provided variable was not found', 'Variable Not Found');
      return ok({ value });
    },
    'POST channels/{channelId}/variable': command((channel, parameters) =>
      channels.setVariable(
        channel,
        parameters.required('variable', 'Variable name is required'),
        parameters.text('value') ?? '',
      ),
    ),
    'POST channels/{channelId}/play': play,
    'POST channels/{channelId}/play/{playbackId}': play,
    'POST channels/{channelId}/record': ({ channelId = '' }, parameters) => {
      const channel = channels.inStasis(channelId);
      const name = parameters.required('name', 'Missing recording name');
      const format = parameters.required('format', 'Missing recording format');
      const maxMs = parameters.number('maxDurationSeconds', 0) * 1000;
      const isOverwritten = parameters.text('ifExists') === 'overwrite';
      return created(recordings.record(name, format, maxMs, isOverwritten, channel));
    },
    'POST channels/{channelId}/snoop': (ids, parameters) => ok(snoop(ids, parameters)),
    'POST channels/{channelId}/snoop/{snoopId}': (ids, parameters) => ok(snoop(ids, parameters)),
  };

  function setMuted(channel: Channel, parameters: Parameters, isMuted: boolean): void {
    const direction = parameters.text('direction') ?? 'both';
    if (direction !== 'out') channel.isMutedIn = isMuted;
    if (direction !== 'in') channel.isMutedOut = isMuted;
  }

  function valueIn(channel: Channel, variable: string): string | undefined {
    switch (variable) {
      case 'CHANNEL(state)':
        return channel.state;
      case 'CALLERID(num)':
        return channel.caller.number;
      case 'CALLERID(name)':
        return channel.caller.name;
      case 'EXTEN':
        return channel.dialplan.exten;
      case 'CONTEXT':
        return channel.dialplan.context;
      default:
        return channel.variables.get(variable);
    }
  }
}

/** How channels come about. */
function creation({ applications, channels, dialplan, endpoints }: ChannelRoutesParts) {
  /** Endpoints of channels that were created and not dialled yet. */
  const addresses = new WeakMap<Channel, string>();

  const newChannel = (parameters: Parameters, channelId: string | undefined): Channel => {
    const endpoint = parameters.required('endpoint', 'Endpoint must be specified');
    const id = channelId ?? parameters.text('channelId') ?? channels.nextId();
    const [technology = '', ...rest] = endpoint.split('/');
    if (!isTechnology(technology) || rest.length === 0)
      throw Object.assign(new Refusal(500, 'Allocation failed'), {
        answer: { status: 500, reason: 'Internal Server Error', body: { error: 'Allocation failed' } },
      });
    if (channels.find(id)) throw new Refusal(409, 'Channel with given unique ID already exists');
    const number = parameters.text('callerId') ?? '';
    const channel = channels.add({
      id,
      name: `${technology}/${rest[0]}-${channels.nextNumber()}`,
      state: 'Down',
      end: NOBODY,
      caller: { name: '', number },
      connected: { name: '', number },
      variables: parameters.variables(),
    });
    addresses.set(channel, endpoint);
    return channel;
  };

  return {
    /** Rings at once; enters Stasis, or the dialplan, when it is answered. */
    originate(parameters: Parameters, channelId?: string): unknown {
      const application = parameters.text('app');
      const extension = parameters.text('extension');
      if (!application && !extension) throw new Refusal(400, 'Application or extension must be specified');
      const channel = newChannel(parameters, channelId);
      Object.assign(channel.dialplan, { app_name: 'AppDial2', app_data: '(Outgoing Line)' });
      if (application) applications.subscribe(application, channel.source);
      const answer = channel.toJSON();
      const onAnswered = () => {
        if (!application) {
          channel.dialplan.exten = extension as string;
          dialplan.enter(channel);
        } else if (applications.isServed(application)) {
          channels.enterStasis(channel, application, parameters.list('appArgs'));
        } else channels.hangUp(channel, { cause: 16, by: 'dialplan' });
      };
      const ringMs = parameters.number('timeout', 30) * 1000;
      endpoints.dial(channel, addresses.get(channel) as string, { ringMs, tellsFailure: true, onAnswered });
      return answer;
    },

    /** Enters Stasis at once, and waits to be dialled. */
    create(parameters: Parameters): unknown {
      const application = parameters.required('app', 'Application must be specified');
      const channel = newChannel(parameters, undefined);
      const answer = channel.toJSON();
      applications.subscribe(application, channel.source);
      const args = parameters.list('appArgs');
      channels.execute(channel, 'Stasis', [application, ...args].join(','));
      if (applications.isServed(application)) channels.enterStasis(channel, application, args);
      else channels.hangUp(channel, { cause: 16, by: 'dialplan' });
      return answer;
    },

    dial({ channelId = '' }: Ids, parameters: Parameters) {
      const channel = channels.inStasis(channelId);
      const address = addresses.get(channel);
      if (channel.state !== 'Down' || address === undefined)
        throw new Refusal(409, "Channel is not in the 'Down' state");
      const ringMs = parameters.number('timeout', 0) * 1000;
      endpoints.dial(channel, address, { ringMs, tellsFailure: false, onAnswered() {} });
      return NO_CONTENT;
    },

    /** A channel beside another one: it hears nothing here. */
    snoop({ channelId = '', snoopId }: Ids, parameters: Parameters): unknown {
      const application = parameters.required('app', 'Application must be specified');
      const isNone = (name: string) => (parameters.text(name) ?? 'none') === 'none';
      if (isNone('spy') && isNone('whisper'))
        throw new Refusal(400, 'Direction must be specified for at least spy or whisper');
      const spied = channels.find(channelId);
      if (!spied) throw new Refusal(404, 'Provided channel was not found', 'Channel Not Found');
      const id = snoopId ?? parameters.text('snoopId') ?? channels.nextId();
      if (channels.find(id)) throw new Refusal(500, 'Snoop channel could not be created', 'Internal error');
      const name = `Snoop/${channelId}-${channels.nextNumber()}`;
      const channel = channels.add({ id, name, state: 'Up', end: NOBODY });
      const answer = channel.toJSON();
      const args = parameters.list('appArgs');
      channels.enterStasis(channel, application, args);
      spied.onGone.push(() => channels.hangUp(channel, { cause: 16, by: 'dialplan' }));
      return answer;
    },
  };
}
