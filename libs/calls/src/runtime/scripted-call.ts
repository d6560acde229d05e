import type { AriRequest } from '@callfleet/ari';
import { callIdOf } from '@callfleet/identity';
import type { Call } from '../call.ts';
import { defineCall } from '../define-call.ts';
import { MediaUnavailableError } from '../errors.ts';
import { SimulatedClock } from '../testing/simulated-clock.ts';
import { type Answer, StagedCall } from '../testing/staged-call.ts';
import type { CallHost, KnownMediaSession, MediaOrder, MediaRequest, OpenMediaSession } from './call-host.ts';
import type { CallOutcome } from './call-runtime.ts';

export { settle } from '../testing/staged-call.ts';

const CHANNEL = '1763701200.12';

/** A call on a PBX that is a script: its commands are written down, its answers and events are told by the test. */
export class ScriptedCall extends StagedCall {
  /** What the PBX carried out. */
  readonly commands: string[] = [];
  /** What relays are asked, in order. */
  readonly media: string[] = [];
  /** What the PBX answers, by `METHOD route`; 204 where nothing is set. May tell events first. */
  readonly answers: Record<string, (request: AriRequest<unknown>) => Answer | Promise<Answer>> = {};
  /** The relay is away. */
  refusesOrders = false;
  /** No relay has room. */
  refusesMedia = false;
  /** May throw. */
  onOpenMedia = (_provider: string) => {};
  readonly #openMedia: () => Promise<OpenMediaSession>;

  constructor(options: { openMedia?: () => Promise<OpenMediaSession>; dial?: CallHost['dial'] } = {}) {
    const context = {
      id: callIdOf('pbx-a', CHANNEL),
      pbx: 'pbx-a',
      direction: options.dial ? 'outbound' : 'inbound',
      caller: { number: '1001', name: '' },
      called: { number: '100', context: 'default' },
      args: [],
      variables: {},
    } as const;
    super(context, new SimulatedClock(), options.dial);
    this.#openMedia = options.openMedia ?? (() => Promise.resolve(this.#mediaSession()));
    this.answers['DELETE /channels/{channelId}'] = ({ path }) => {
      if (path === `channels/${CHANNEL}`) this.tell('ChannelDestroyed', { channel: { id: CHANNEL }, cause: 16 });
      return { status: 204 };
    };
  }

  /** @returns the outcome, whoever has the call at its end */
  run(program: (call: Call) => Promise<void>): Promise<CallOutcome> {
    return this.runProgram(defineCall(program));
  }

  /** An ARI event of the call; of its own channel unless told otherwise. */
  override tell(type: string, data: Record<string, unknown> = { channel: { id: CHANNEL } }): void {
    super.tell(type, data);
  }

  press(digits: string): void {
    for (const digit of digits) this.tell('ChannelDtmfReceived', { channel: { id: CHANNEL }, digit });
  }

  /** As if another gateway had the shard. */
  forgetCommands(): void {
    this.forgetAnswers();
  }

  callerHangsUp(): void {
    this.tell('ChannelHangupRequest', { channel: { id: CHANNEL }, cause: 16 });
    this.tell('StasisEnd');
    this.tell('ChannelDestroyed', { channel: { id: CHANNEL }, cause: 16, cause_txt: 'Normal Clearing' });
  }

  protected override async carryOut(request: AriRequest<unknown>): Promise<Answer> {
    this.commands.push(`${request.method} ${decodeURIComponent(request.path)}`);
    return (await this.answers[`${request.method} ${request.route}`]?.(request)) ?? { status: 204 };
  }

  protected override async openMedia(
    session: string,
    provider: string,
    { history }: MediaRequest,
  ): Promise<OpenMediaSession> {
    const said = history?.map(({ role, text }) => ` [${role}: ${text}]`).join('') ?? '';
    this.media.push(`open ${session} ${provider}${said}`);
    this.onOpenMedia(provider);
    if (this.refusesMedia) throw MediaUnavailableError.of('no relay has room');
    return this.#openMedia();
  }

  protected override knownMedia(session: string, relay: string): KnownMediaSession {
    return {
      relay,
      order: (order) => this.#order(order),
      close: async (reason) => void this.media.push(`close ${session} ${reason}`),
    };
  }

  async #order(order: MediaOrder): Promise<void> {
    if (this.refusesOrders) throw MediaUnavailableError.of('the relay is away');
    this.media.push(describeOrder(order));
  }

  #mediaSession(): OpenMediaSession {
    return {
      relay: 'relay-1',
      leg: {
        external_host: '127.0.0.1:20000',
        encapsulation: 'rtp',
        transport: 'udp',
        connection_type: 'client',
        format: 'ulaw',
      },
      attach: async (variables) => void this.media.push(`attach ${JSON.stringify(variables)}`),
      order: (order) => this.#order(order),
      close: async (reason) => void this.media.push(`close ${reason}`),
    };
  }
}

function describeOrder(order: MediaOrder): string {
  if (order.op === 'private') return `private ${order.on ? 'on' : 'off'}`;
  if (order.op === 'digit') return `digit ${order.key}`;
  return order.op === 'say' ? `say ${order.text}` : `result ${order.id} ${order.result}`;
}
