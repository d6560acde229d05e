import type { FormatName, PacingClock } from '@callfleet/media';
import { type Answer, ok, Refusal, refused } from './answer.ts';
import type { Applications } from './applications.ts';
import type { Channels } from './channels.ts';
import { formatCalled } from './leg-codec.ts';
import { AudioSocketLeg } from './media-audiosocket.ts';
import type { MediaLeg } from './media-leg.ts';
import { RtpLeg } from './media-rtp.ts';
import { WebSocketLeg } from './media-websocket.ts';
import type { Parameters } from './parameters.ts';

export interface MediaLegsOptions {
  readonly applications: Applications;
  readonly channels: Channels;
  readonly clock: PacingClock;
  /** Where RTP is bound to, and so what peers are told. */
  readonly bindAddress: string;
}

/** In which Asterisk 22.10.1 says that a leg can't be made, whatever is wrong with it. */
const INTERNAL = 'An internal error prevented this request from being handled';
const NORMAL_CLEARING = 16;

/** `POST /channels/externalMedia`. */
export class MediaLegs {
  readonly #options: MediaLegsOptions;
  /** WebSocket legs, by the id in their URL. */
  readonly #incoming = new Map<string, WebSocketLeg>();

  constructor(options: MediaLegsOptions) {
    this.#options = options;
  }

  /** Whom `/media/<id>` is for: a leg that nobody has connected to. */
  incoming(id: string): WebSocketLeg | undefined {
    const leg = this.#incoming.get(id);
    return leg?.isConnected ? undefined : leg;
  }

  async make(parameters: Parameters): Promise<Answer> {
    const application = parameters.required('app', 'Application must be specified');
    const format = formatCalled(parameters.required('format', 'Format must be specified'));
    const host = parameters.text('external_host') ?? '';
    const isServer = parameters.text('connection_type') === 'server';
    const transport = parameters.text('transport') ?? 'udp';
    if (host === '' && !(isServer && transport === 'websocket'))
      throw new Refusal(400, 'external_host is required for all but websocket server connections');
    const id = parameters.text('channelId') ?? this.#options.channels.nextId();
    // Not 409, as of other channels.
    if (!format || this.#options.channels.find(id)) return refused(500, INTERNAL);
    try {
      return this.#add(id, application, await this.#open(transport, host, format, parameters), parameters);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      return refused(500, INTERNAL);
    }
  }

  #open(transport: string, host: string, format: FormatName, parameters: Parameters): Promise<MediaLeg> | MediaLeg {
    const encapsulation = parameters.text('encapsulation') ?? 'rtp';
    switch (`${encapsulation}+${transport}`) {
      case 'rtp+udp':
        return RtpLeg.open(this.#options.bindAddress, host, format);
      case 'audiosocket+tcp': {
        const uuid = parameters.required('data', 'data is required for audiosocket');
        return AudioSocketLeg.open(host, uuid, format);
      }
      case 'none+websocket': {
        if (host !== 'INCOMING') throw new Refusal(501, 'The simulated PBX does not dial media WebSockets');
        const data = parameters.text('transport_data') ?? '';
        const leg = new WebSocketLeg(format, data, this.#options.clock, () => this.#incoming.delete(leg.id));
        this.#incoming.set(leg.id, leg);
        return leg;
      }
      default:
        throw new Refusal(501, `${encapsulation} over ${transport} is not supported`);
    }
  }

  #add(id: string, application: string, leg: MediaLeg, parameters: Parameters): Answer {
    const { applications, channels } = this.#options;
    // Somebody else may have made it while this one connected.
    if (channels.find(id)) {
      leg.closed(0);
      return refused(500, INTERNAL);
    }
    const variables = { ...parameters.variables(), ...leg.variables };
    const channel = channels.add({ id, name: leg.name, state: 'Down', end: leg, variables });
    Object.assign(channel.dialplan, { app_name: 'AppDial2', app_data: '(Outgoing Line)' });
    const answer = ok({ ...channel.toJSON(), channelvars: { ...leg.variables } });
    applications.subscribe(application, channel.source);
    const dial = (dialstatus: string) =>
      channels.tellDial(channel, { dialstatus, forward: '', dialstring: leg.dialstring });
    dial('');
    leg.begin(channel, {
      up() {
        if (channel.isGone) return;
        channels.setState(channel, 'Up');
        dial('ANSWER');
        if (applications.isServed(application)) channels.enterStasis(channel, application, parameters.list('data'));
        else channels.hangUp(channel, { cause: NORMAL_CLEARING, by: 'dialplan' });
      },
      hangUp: () => channels.hangUp(channel, { cause: NORMAL_CLEARING, by: 'far-end' }),
    });
    return answer;
  }
}
