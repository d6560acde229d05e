import { type EventFilter, NO_FILTER, passes } from './event-filter.ts';
import type { PbxClock } from './pbx-clock.ts';

/** Who has the socket of an application. */
export interface EventSink {
  send(text: string): void;
}

/** What an application is subscribed to: `channel:<id>` or `bridge:<id>`. */
export type EventSource = `channel:${string}` | `bridge:${string}`;

/** An event without its type, time and application. */
export type EventDetails = Readonly<Record<string, unknown>>;

/** A Stasis application: it is there while somebody has its socket, or while it is subscribed to something. */
export class Application {
  readonly name: string;
  sink: EventSink | undefined;
  filter: EventFilter = NO_FILTER;
  isSubscribedToAll = false;
  /** How often it is subscribed to each; asked for, or because a channel is in it. */
  readonly sources = new Map<EventSource, number>();

  constructor(name: string) {
    this.name = name;
  }

  toJSON() {
    const ids = (kind: string) =>
      [...this.sources.keys()].filter((one) => one.startsWith(kind)).map((one) => one.slice(kind.length));
    return {
      name: this.name,
      channel_ids: ids('channel:'),
      bridge_ids: ids('bridge:'),
      endpoint_ids: [],
      device_names: [],
      events_allowed: [...this.filter.allowed].map((type) => ({ type })),
      events_disallowed: [...this.filter.disallowed].map((type) => ({ type })),
    };
  }
}

export interface ApplicationsOptions {
  readonly clock: PbxClock;
  readonly entityId: string;
  /** How many copies of an event are sent: 1, unless a fault loses or repeats it. */
  readonly copies: () => number;
}

/** The Stasis applications of the PBX, and who is told what. */
export class Applications {
  readonly #options: ApplicationsOptions;
  readonly #byName = new Map<string, Application>();
  readonly #bySource = new Map<EventSource, Set<Application>>();
  readonly #toAll = new Set<Application>();
  /** Events that were written to sockets. */
  sent = 0;
  /** Events that nobody's socket was there for. */
  untold = 0;

  constructor(options: ApplicationsOptions) {
    this.#options = options;
  }

  get(name: string): Application | undefined {
    return this.#byName.get(name);
  }

  list(): Application[] {
    return [...this.#byName.values()];
  }

  /** Whether `Stasis(name)` is served. */
  isServed(name: string): boolean {
    return this.#byName.get(name)?.sink !== undefined;
  }

  /** A socket comes for an application. Whoever had it is told, and is told nothing more. */
  connect(name: string, sink: EventSink, isSubscribedToAll: boolean): void {
    const application = this.#byName.get(name) ?? new Application(name);
    this.#byName.set(name, application);
    const older = application.sink;
    application.sink = sink;
    application.isSubscribedToAll = isSubscribedToAll;
    if (isSubscribedToAll) this.#toAll.add(application);
    else this.#toAll.delete(application);
    older?.send(this.#textOf('ApplicationReplaced', {}, name));
  }

  /** A socket is gone. That of somebody who was replaced takes nothing away. */
  disconnect(name: string, sink: EventSink): void {
    const application = this.#byName.get(name);
    if (application?.sink !== sink) return;
    application.sink = undefined;
    this.#toAll.delete(application);
    this.#removeIfFinished(application);
  }

  subscribe(name: string, source: EventSource): void {
    const application = this.#byName.get(name);
    if (!application) return;
    application.sources.set(source, (application.sources.get(source) ?? 0) + 1);
    const subscribed = this.#bySource.get(source);
    if (subscribed) subscribed.add(application);
    else this.#bySource.set(source, new Set([application]));
  }

  /** Takes one subscription back. @returns false when there is none */
  unsubscribe(name: string, source: EventSource): boolean {
    const application = this.#byName.get(name);
    const count = application?.sources.get(source);
    if (!application || count === undefined) return false;
    if (count > 1) application.sources.set(source, count - 1);
    else {
      application.sources.delete(source);
      this.#bySource.get(source)?.delete(application);
      this.#removeIfFinished(application);
    }
    return true;
  }

  /** The channel or bridge is gone. */
  forget(source: EventSource): void {
    for (const application of this.#bySource.get(source) ?? []) {
      application.sources.delete(source);
      this.#removeIfFinished(application);
    }
    this.#bySource.delete(source);
  }

  /** Tells each application that is subscribed to any of these, once. */
  tell(type: string, details: EventDetails, ...sources: EventSource[]): void {
    let told: Set<Application> | undefined;
    for (const source of sources) {
      const subscribed = this.#bySource.get(source);
      if (!subscribed) continue;
      told = told ? told.union(subscribed) : subscribed;
    }
    if (this.#toAll.size > 0) told = told ? told.union(this.#toAll) : this.#toAll;
    if (!told) return;
    let text: string | undefined;
    for (const application of told) {
      if (!passes(application.filter, type)) continue;
      text ??= this.#headOf(type, details);
      this.#send(application, withApplication(text, application.name));
    }
  }

  /** Tells one application alone. */
  tellOnly(name: string, type: string, details: EventDetails): void {
    const application = this.#byName.get(name);
    if (application && passes(application.filter, type)) this.#send(application, this.#textOf(type, details, name));
  }

  #send(application: Application, text: string): void {
    if (!application.sink) {
      this.untold += 1;
      return;
    }
    for (let copies = this.#options.copies(); copies > 0; copies -= 1) {
      this.sent += 1;
      application.sink.send(text);
    }
  }

  #removeIfFinished(application: Application): void {
    if (application.sink === undefined && application.sources.size === 0) this.#byName.delete(application.name);
  }

  #textOf(type: string, details: EventDetails, name: string): string {
    return withApplication(this.#headOf(type, details), name);
  }

  #headOf(type: string, details: EventDetails): string {
    const { clock, entityId } = this.#options;
    return JSON.stringify({ type, timestamp: clock.stamp(), ...details, asterisk_id: entityId });
  }
}

/** As Asterisk has it, the application comes last. */
function withApplication(text: string, name: string): string {
  return `${text.slice(0, -1)},"application":${JSON.stringify(name)}}`;
}
