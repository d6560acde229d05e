import type { AriRequest, AriRequester, AriResponse } from '@callfleet/ari';
import { answer, type Bus, commandSchema, type EventOutbox, KeptCalls, subjects, workerPresence } from '@callfleet/bus';
import { type CallId, callIdOf } from '@callfleet/identity';
import { createLogger } from '@callfleet/telemetry';
import { CallOffers } from '../services/ari-gateway/src/calls/call-offers.ts';
import { CommandExecutor } from '../services/ari-gateway/src/calls/command-executor.ts';
import { EventPublisher } from '../services/ari-gateway/src/calls/event-publisher.ts';
import { LiveCalls } from '../services/ari-gateway/src/calls/live-call.ts';
import { WorkerWatch } from '../services/ari-gateway/src/calls/worker-watch.ts';
import { ChannelIndex, type IncomingEvent } from '../services/ari-gateway/src/events/channel-index.ts';
import { ShardEvents } from '../services/ari-gateway/src/shard/shard-events.ts';

const PBX = 'pbx-a';
const silent = createLogger('test', 'test', { level: 'silent', format: 'json' });

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

/**
 * A gateway's shard with one call on a PBX that is a script, on which everything works at once. Offers, commands, events and
 * the watch over workers are the gateway's own.
 */
export class ScriptedShard {
  readonly call: CallId;
  /** What the PBX carried out. */
  readonly commands: string[] = [];
  /** The worker that claimed it last. */
  claimedBy: string | undefined;
  /** Resolves when a worker has said that nothing of the call is left. */
  readonly done: Promise<void>;
  readonly #channelId: string;
  readonly #events: ShardEvents;
  readonly #close: Array<() => void> = [];
  readonly #offers: CallOffers;
  readonly #calls = new LiveCalls();
  readonly #shard: string;
  #pressed = '';
  #told = 0;
  #isUp = true;

  /** @param name of the shard, and of the pool that its call is offered to */
  constructor(bus: Bus, outbox: EventOutbox, name: string) {
    this.#channelId = `1763701200.${name}`;
    this.call = callIdOf(PBX, this.#channelId);
    const ari = { request: (request) => this.#carryOut(request) } as AriRequester;
    const calls = this.#calls;
    this.#shard = name;
    const at = { bus, ari, gateway: 'gateway-1', pbx: PBX, shard: name, pool: name, zone: 'a', calls, log: silent };
    const offers = new CallOffers({ ...at, kept: new KeptCalls(bus, PBX, name, () => {}), claimTimeoutMs: 20_000 });
    this.#offers = offers;
    const watch = new WorkerWatch({
      isGone: async (worker) => (await workerPresence(bus, worker)) === 'gone',
      onLost: (call) => offers.offerAgain(call, 'worker-gone'),
    });
    const done = Promise.withResolvers<void>();
    this.done = done.promise;
    const executor = new CommandExecutor({
      ...at,
      places: { counted: (_call, _request, send) => send() },
      timeoutMs: 1000,
      onClaimed: (call, worker, program) => {
        offers.settle(call, 'claimed');
        call.claimedBy(worker, program);
        this.claimedBy = worker;
        watch.watch(worker, call);
      },
      onDone: (call) => {
        call.worker = undefined;
        done.resolve();
      },
      onReleased: (call) => offers.offerAgain(call, 'worker-stops'),
    });
    const taking = answer(
      bus,
      subjects.commands(PBX, name),
      commandSchema,
      (command, trace) => executor.execute(command, trace),
      ({ message }) => ({ ok: false as const, code: 'CF_BUS_BAD_MESSAGE' as const, message }),
    );
    const publisher = new EventPublisher(new ChannelIndex(PBX, name), 'gateway-1', calls, outbox);
    this.#events = new ShardEvents({
      ...at,
      publisher,
      offers,
      mirror: { add: async () => {} },
      onChannelEnded: () => {},
    });
    this.#close.push(
      () => taking.unsubscribe(),
      () => watch.close(),
      () => offers.close(),
    );
  }

  /** The call comes in, and its caller presses so many digits at once. */
  enter(digits: string): void {
    this.#tell('StasisStart', {
      args: [],
      channel: {
        id: this.#channelId,
        name: 'PJSIP/caller',
        state: 'Ring',
        caller: { number: this.#channelId, name: '' },
        dialplan: { exten: '100', context: 'default' },
      },
    });
    this.#press(digits);
  }

  /** The call is placed: whoever is called answers at once, and presses so many digits. */
  async place(digits: string): Promise<void> {
    this.#pressed = digits;
    const dial = { program: 'program', endpoint: 'PJSIP/alice', ringTimeoutMs: 20_000, variables: {} };
    await this.#offers.offerOutbound(this.#calls.get(this.call), {
      call: this.call,
      pbx: PBX,
      shard: this.#shard,
      zone: 'a',
      channelId: this.#channelId,
      channelName: '',
      channelState: 'Down',
      caller: { number: '', name: '' },
      called: { number: 'alice', context: '' },
      args: [],
      variables: {},
      epoch: 0,
      dial,
      gateway: 'gateway-1',
      enteredAt: new Date().toISOString(),
      expiresAt: Date.now() + 20_000,
    });
  }

  close(): void {
    for (const close of this.#close) close();
  }

  #press(digits: string): void {
    for (const digit of digits) this.#tell('ChannelDtmfReceived', { channel: { id: this.#channelId }, digit });
  }

  #tell(type: string, data: Record<string, unknown>): void {
    this.#told += 1;
    this.#events.handle({ type, timestamp: new Date().toISOString(), told: this.#told, ...data } as IncomingEvent);
  }

  async #carryOut<T>(request: AriRequest<T>): Promise<AriResponse<T>> {
    const { method, route } = request;
    if (route.startsWith('/channels') || route.startsWith('/bridges') || route.startsWith('/playbacks'))
      this.commands.push(`${method} ${decodeURIComponent(request.path)}`);
    const { status, body } = this.#answer(request);
    const common = { status, reason: '', method, route, url: '' };
    return status < 400
      ? { ...common, ok: true, body: body as T }
      : { ...common, ok: false, refusal: 'refused', body: undefined };
  }

  #answer({ method, route, path, query }: AriRequest<unknown>): Answer {
    const id = decodeURIComponent(path.split('/')[1] ?? '');
    const channel = { id: this.#channelId };
    switch (`${method} ${route}`) {
      case 'POST /channels/{channelId}/answer':
        this.#tell('ChannelStateChange', { channel: { ...channel, state: 'Up' } });
        return { status: 204 };
      case 'POST /channels/{channelId}/play/{playbackId}': {
        const playback = { id: decodeURIComponent(path.split('/').at(-1) ?? ''), state: 'done' };
        this.#tell('PlaybackFinished', { playback });
        // Whoever hears the menu to its end presses these.
        if (query.media === 'sound:menu') this.#press('7#');
        return { status: 201, body: playback };
      }
      case 'GET /channels/{channelId}/variable':
        return { status: 200, body: { value: 'de' } };
      case 'POST /channels/{channelId}/variable':
        return { status: query.variable === 'NO(SUCH)' ? 400 : 204 };
      case 'POST /channels/create':
        this.#tell('StasisStart', { args: [query.appArgs], channel: { ...channel, state: 'Down' } });
        return { status: 200, body: channel };
      case 'POST /channels/{channelId}/dial':
        this.#tell('ChannelStateChange', { channel: { ...channel, state: 'Up' } });
        this.#press(this.#pressed);
        return { status: 204 };
      case 'POST /channels/externalMedia':
        this.#tell('StasisStart', { channel: { id: query.channelId, state: 'Up' } });
        return { status: 200, body: { id: query.channelId, channelvars: { UNICASTRTP_LOCAL_PORT: '10000' } } };
      case 'POST /channels/{channelId}/continue':
        this.#tell('StasisEnd', { channel });
        return { status: 204 };
      case 'DELETE /channels/{channelId}':
        if (id !== this.#channelId) return { status: 204 };
        if (!this.#isUp) return { status: 404 };
        this.#isUp = false;
        this.#tell('ChannelHangupRequest', { channel, cause: 16 });
        this.#tell('StasisEnd', { channel });
        this.#tell('ChannelDestroyed', { channel, cause: 16, cause_txt: 'Normal Clearing' });
        return { status: 204 };
      default:
        return { status: 204 };
    }
  }
}
