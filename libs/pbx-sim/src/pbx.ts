import { PacingClock } from '@callfleet/media';
import type { z } from 'zod';
import { Applications } from './applications.ts';
import { AriServer } from './ari-server.ts';
import { Bridges } from './bridges.ts';
import { Caller, type CallReport, type SimulatedCall } from './caller.ts';
import { Channels } from './channels.ts';
import { Dialplan } from './dialplan.ts';
import { type EndpointBehaviour, Endpoints } from './endpoints.ts';
import { PbxSimError } from './errors.ts';
import { Faults } from './faults.ts';
import { MediaLegs } from './media-legs.ts';
import { OutboundSocket } from './outbound-socket.ts';
import { PbxClock } from './pbx-clock.ts';
import { Playbacks } from './playbacks.ts';
import { Recordings } from './recordings.ts';
import { bridgeRoutes } from './rest-bridges.ts';
import { channelRoutes } from './rest-channels.ts';
import { type RestRequest, RestRoutes } from './rest-routes.ts';
import { systemRoutes } from './rest-system.ts';
import {
  type CallScript,
  type CallsOrder,
  callScript,
  checked,
  type FaultOrder,
  type FaultSettings,
  faultOrder,
  pbxOptions,
  type SimulatedPbxOptions,
} from './schemas.ts';

/** What the PBX has done since it was started. */
export interface PbxCounts {
  /** Now. */
  readonly channels: number;
  readonly bridges: number;
  readonly callers: number;
  readonly applications: readonly string[];
  /** Callers since the beginning. */
  readonly callsPlaced: number;
  readonly callsAnswered: number;
  readonly callsEnded: number;
  /** Callers whom nobody served. */
  readonly callsUnserved: number;
  /** Callers that came to the fallback, by CALLFLEET_STATUS. */
  readonly callsFallenBack: Readonly<Record<string, number>>;
  readonly eventsSent: number;
  /** Events of applications that had no socket. */
  readonly eventsUntold: number;
  readonly eventsLost: number;
  readonly eventsRepeated: number;
  /** By route. */
  readonly requests: Readonly<Record<string, number>>;
  readonly requestsRefused: number;
  readonly requestsFailed: number;
  /** What was asked for, and is not simulated. */
  readonly notSimulated: Readonly<Record<string, number>>;
  /** Frames that callers did not speak because this process stood still. */
  readonly framesSkipped: number;
  readonly pacingErrorP99Ms: number;
}

/** What is made from the start to a crash, and again. */
type Settings = z.output<typeof pbxOptions>;

/** An Asterisk that is none: it speaks ARI, has callers, and moves their audio. */
export class SimulatedPbx {
  readonly name: string;
  readonly username: string;
  readonly password: string;
  readonly entityId: string;
  readonly faults: Faults;
  readonly #settings: Settings;
  readonly #clock = new PbxClock();
  readonly #pacing: PacingClock;
  readonly #applications: Applications;
  readonly #channels: Channels;
  readonly #bridges: Bridges;
  readonly #endpoints: Endpoints;
  readonly #dialplan: Dialplan;
  readonly #routes: RestRoutes;
  readonly #server: AriServer;
  readonly #callers = new Map<string, Caller>();
  #outbound: OutboundSocket[] = [];
  #port: number;
  #placed = 0;
  #answered = 0;
  #ended = 0;
  #isStopped = false;
  #restarting: Promise<void> | undefined;

  private constructor(settings: Settings) {
    const { name, host, username, password, version } = settings;
    this.#settings = settings;
    this.#port = settings.port;
    this.name = name;
    this.username = username;
    this.password = password;
    this.entityId = settings.entityId ?? entityIdOf(name);
    const clock = this.#clock;
    this.faults = new Faults(clock, settings.seed, settings.faults);
    this.#pacing = new PacingClock({ now: () => performance.now(), after: timer }, (error) => {
      // A fault of the simulated PBX itself.
      setImmediate(() => {
        throw error;
      });
    });
    const { entityId } = this;
    const applications = new Applications({ clock, entityId, copies: () => this.faults.copies() });
    const channels = new Channels({ clock, applications, name });
    const bridges = new Bridges({ clock, applications, channels });
    const playbacks = new Playbacks({ clock, applications, sounds: settings });
    const recordings = new Recordings({ clock, applications });
    const endpoints = new Endpoints({ clock, channels, endpoints: settings.endpoints });
    const dialplan = new Dialplan({
      ...settings,
      clock,
      applicationsThere: applications,
      channels,
      onFallback: (channel, status) => this.#callers.get(channel.id)?.fellBack(status),
    });
    const legs = new MediaLegs({ applications, channels, clock: this.#pacing, bindAddress: host });
    this.#applications = applications;
    this.#channels = channels;
    this.#bridges = bridges;
    this.#endpoints = endpoints;
    this.#dialplan = dialplan;
    this.#routes = new RestRoutes({
      ...systemRoutes({ applications, bridges, channels, clock, name, entityId, version }),
      ...channelRoutes({ applications, channels, dialplan, endpoints, legs, playbacks, recordings }),
      ...bridgeRoutes({ bridges, playbacks, recordings }),
    });
    const answer = (request: RestRequest) => this.#answer(request);
    this.#server = new AriServer({ host, username, password, clock, applications, legs, answer });
  }

  /** @throws PbxSimError CF_PBX_SIM_BAD_INPUT; what listening throws */
  static async start(options: SimulatedPbxOptions = {}): Promise<SimulatedPbx> {
    const pbx = new SimulatedPbx(checked(pbxOptions, options, 'the simulated PBX'));
    await pbx.#listen();
    return pbx;
  }

  /** `http://host:port`; ARI is at `/ari` below it. */
  get httpUrl(): string {
    return `http://${this.#settings.host}:${this.#port}`;
  }

  /** Places a call. @throws PbxSimError CF_PBX_SIM_BAD_INPUT, CF_PBX_SIM_STOPPED */
  call(script: CallScript = {}): SimulatedCall {
    const checkedScript = checked(callScript, script, 'call');
    if (this.#isStopped) throw new PbxSimError('CF_PBX_SIM_STOPPED', `${this.name} was stopped`);
    this.#placed += 1;
    const caller = new Caller(this.#placed, checkedScript, {
      clock: this.#clock,
      pacing: this.#pacing,
      channels: this.#channels,
      dialplan: this.#dialplan,
    });
    this.#callers.set(caller.channelId, caller);
    caller.answered.then(
      () => {
        this.#answered += 1;
      },
      () => {},
    );
    void caller.ended.then(() => {
      this.#ended += 1;
      this.#callers.delete(caller.channelId);
    });
    return caller;
  }

  /**
   * Places many, spread evenly; those whose time has come while this process stood still come at once.
   *
   * @param onCall told each as it is placed
   */
  async calls(
    { count, arrivalsPerSecond, call = {} }: CallsOrder,
    onCall: (call: SimulatedCall) => void = () => {},
  ): Promise<CallReport[]> {
    const ended: Array<Promise<CallReport>> = [];
    const startedAt = performance.now();
    while (ended.length < count && !this.#isStopped) {
      const due = arrivalsPerSecond ? 1 + ((performance.now() - startedAt) / 1000) * arrivalsPerSecond : count;
      while (ended.length < Math.min(count, due) && !this.#isStopped) {
        const placed = this.call(call);
        ended.push(placed.ended);
        onCall(placed);
      }
      if (ended.length < count) await new Promise<void>((resolve) => void setTimeout(resolve, ARRIVALS_EVERY_MS));
    }
    return Promise.all(ended);
  }

  /** What somebody does from now on who is dialled at this address. */
  setEndpoint(address: string, behaviour: EndpointBehaviour): void {
    this.#endpoints.set(address, behaviour);
  }

  /** @throws PbxSimError CF_PBX_SIM_BAD_INPUT */
  setFaults(settings: FaultSettings): void {
    this.faults.set(settings);
  }

  /** Resolves when it is done: after a crash, when the PBX is back. @throws PbxSimError CF_PBX_SIM_BAD_INPUT */
  async fault(order: FaultOrder): Promise<void> {
    const what = checked(faultOrder, order, 'fault');
    switch (what.kind) {
      case 'drop-sockets':
        this.#server.dropSockets();
        for (const socket of this.#outbound) socket.drop();
        return;
      case 'replace-application':
        // Nobody takes its place for long: the application is away, as when a stranger came and went.
        this.#applications.connect(what.application, STRANGER, false);
        this.#applications.disconnect(what.application, STRANGER);
        return;
      case 'crash':
        this.#restarting ??= this.#crash(what.downMs, what.keepCalls).finally(() => {
          this.#restarting = undefined;
        });
        return this.#restarting;
    }
  }

  get counts(): PbxCounts {
    const { requests, refusals, notSimulated } = this.#routes;
    return {
      channels: this.#channels.size,
      bridges: this.#bridges.list().length,
      callers: this.#callers.size,
      applications: this.#applications
        .list()
        .map(({ name }) => name)
        .filter((name) => this.#applications.isServed(name)),
      callsPlaced: this.#placed,
      callsAnswered: this.#answered,
      callsEnded: this.#ended,
      callsUnserved: this.#dialplan.counts.unserved,
      callsFallenBack: Object.fromEntries(this.#dialplan.counts.fallback),
      eventsSent: this.#applications.sent,
      eventsUntold: this.#applications.untold,
      eventsLost: this.faults.eventsLost,
      eventsRepeated: this.faults.eventsRepeated,
      requests: Object.fromEntries(requests),
      requestsRefused: refusals,
      requestsFailed: this.faults.requestsFailed,
      notSimulated: Object.fromEntries(notSimulated),
      framesSkipped: this.#pacing.skippedFrames,
      pacingErrorP99Ms: this.#pacing.error.quantileMs(0.99),
    };
  }

  /** Channels and bridges that are there now: empty when nothing is left of calls. */
  get leftovers(): string[] {
    return [
      ...this.#channels.list().map(({ id }) => `channel ${id}`),
      ...this.#bridges.list().map(({ id }) => `bridge ${id}`),
    ];
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#clock.clear();
    for (const socket of this.#outbound) socket.stop();
    this.#channels.loseAll();
    this.#bridges.loseAll();
    await this.#server.close();
  }

  async #listen(): Promise<void> {
    this.#port = await this.#server.listen(this.#port);
    const answer = (request: RestRequest) => this.#answer(request);
    const parts = { clock: this.#clock, applications: this.#applications, entityId: this.entityId, answer };
    this.#outbound = this.#settings.outbound.map((options) => new OutboundSocket(options, parts));
  }

  #answer(request: RestRequest) {
    return this.faults.around(`${request.method} ${request.path}`, () => this.#routes.answer(request));
  }

  async #crash(downMs: number, keepCalls: boolean): Promise<void> {
    for (const socket of this.#outbound.splice(0)) socket.stop();
    if (!keepCalls) {
      this.#channels.loseAll();
      this.#bridges.loseAll();
    }
    await this.#server.close();
    await new Promise<void>((resolve) => void setTimeout(resolve, downMs));
    if (!this.#isStopped) await this.#listen();
  }
}

/** @throws PbxSimError CF_PBX_SIM_BAD_INPUT; what listening throws */
export function startSimulatedPbx(options: SimulatedPbxOptions = {}): Promise<SimulatedPbx> {
  return SimulatedPbx.start(options);
}

const STRANGER = { send() {} };
const ARRIVALS_EVERY_MS = 2;

function timer(ms: number, callback: () => void): () => void {
  const handle = setTimeout(callback, ms);
  return () => clearTimeout(handle);
}

/** Of its name: two PBXs of one fleet must not have the same. */
function entityIdOf(name: string): string {
  let hash = 0;
  for (const letter of name) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
  const bytes = [24, 16, 8, 0].map((shift) => ((hash >>> shift) & 0xff).toString(16).padStart(2, '0'));
  return `02:51:${bytes.join(':')}`;
}
