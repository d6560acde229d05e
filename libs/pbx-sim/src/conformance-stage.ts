import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';

/** A PBX that the behavioural suite is run on: the simulated one, or a real Asterisk. */
export interface ConformancePbx {
  readonly kind: 'simulated' | 'real';
  readonly httpUrl: string;
  readonly username: string;
  readonly password: string;
  /** Somebody calls extension 100, and speaks a tone. */
  call(): Promise<ConformanceCaller>;
  /** The address of somebody who does this when dialled. */
  endpoint(does: 'answers' | 'busy'): Promise<string>;
}

export interface ConformanceCaller {
  press(digit: string): void;
  hangUp(): Promise<unknown>;
  /** Its own tone comes back to it within 5 s. */
  readonly hearsItself: () => Promise<boolean>;
}

/**
 * What real Asterisk tells beyond the simulated PBX, each with its reason. The suite fails when one of them is never seen on a
 * real Asterisk, or is seen on the simulated PBX.
 */
export const DIFFERENCES: ReadonlyArray<{ readonly name: string; readonly fits: (line: string) => boolean }> = [
  {
    name: 'quality of a SIP call is written into variables at its end; there is no network to measure',
    fits: (line) => line.includes('ChannelVarset') && line.includes('RTPAUDIOQOS'),
  },
  {
    name: 'a bridge names the other member in variables',
    fits: (line) => line.includes('ChannelVarset') && /BRIDGE(PEER|PVTCALLID)=/.test(line),
  },
  {
    name: 'a bridge tells each member who the other is',
    fits: (line) => line.includes('ChannelConnectedLine'),
  },
];

type Event = Readonly<Record<string, unknown>> & { readonly type: string };

const SETTLE_MS = { simulated: 25, real: 250 };
const UNTIL_MS = 8000;

/**
 * Does something to a PBX, and writes down what it answered and told, in words that do not depend on chance. What it is asked and
 * what comes of it stands together: it is waited until nothing more comes.
 */
export class ConformanceStage {
  readonly pbx: ConformancePbx;
  readonly lines: string[] = [];
  /** Lines that are in {@link DIFFERENCES}. */
  readonly different: string[] = [];
  /** Ids as chance gave them, and what they are called here. */
  readonly #names = new Map<string, string>();
  readonly #sockets = new Map<string, WebSocket>();
  readonly #callers: ConformanceCaller[] = [];
  readonly #close: Array<() => unknown> = [];
  readonly #untold: string[] = [];
  #waiting: Array<{ fits: (line: string) => boolean; found: () => void }> = [];
  #lastEventAt = 0;
  #requests = 0;
  readonly #replies = new Map<string, (reply: { status: number; body: unknown }) => void>();

  constructor(pbx: ConformancePbx) {
    this.pbx = pbx;
  }

  get authorization(): string {
    return `Basic ${Buffer.from(`${this.pbx.username}:${this.pbx.password}`).toString('base64')}`;
  }

  /** An event socket, written down under its application's name, or another. */
  async connect(application: string, called = application): Promise<void> {
    const url = `${this.pbx.httpUrl.replace('http', 'ws')}/ari/events?app=${application}`;
    const socket = new WebSocket(url, { headers: { authorization: this.authorization } });
    socket.on('message', (data) => this.#onMessage(called, data.toString()));
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    this.#sockets.set(called, socket);
    this.onEnd(() => socket.close());
  }

  async disconnect(called: string): Promise<void> {
    const socket = this.#sockets.get(called) as WebSocket;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close();
    await closed;
    await wait(SETTLE_MS[this.pbx.kind]);
  }

  /** Somebody calls; it is written down as `caller`, and its id is given. */
  async call(): Promise<{ id: string; caller: ConformanceCaller }> {
    const known = new Set(this.#names.keys());
    const caller = await this.pbx.call();
    this.#callers.push(caller);
    const came = () => [...this.#names].find(([id, name]) => name === 'caller' && !known.has(id))?.[0];
    await this.#poll(() => came() !== undefined, 'a caller in Stasis');
    await this.settle();
    return { id: came() as string, caller };
  }

  /** Asks over HTTP, and writes down the answer, then what came of it. @returns the body */
  async rest(request: string, options: { body?: unknown; until?: string } = {}): Promise<unknown> {
    const reply = await this.ask(request, options.body);
    this.lines.push(`${this.#named(request)} -> ${reply.status}${messageIn(reply.body)}`);
    await this.settle(options.until);
    return reply.body;
  }

  /** Asks over HTTP, and writes nothing down. */
  async ask(request: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const [method = '', path = ''] = request.split(' ');
    const response = await fetch(`${this.pbx.httpUrl}/ari/${path}`, {
      method,
      headers: { authorization: this.authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(UNTIL_MS),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** Asks over an event socket, and does not wait. */
  overSocket(called: string, request: string): Promise<{ status: number; body: unknown }> {
    const [method, uri = ''] = request.split(' ');
    const [path, query] = uri.split('?');
    this.#requests += 1;
    const request_id = `request-${this.#requests}`;
    const query_strings = [...new URLSearchParams(query)].map(([name, value]) => ({ name, value }));
    this.#sockets
      .get(called)
      ?.send(
        JSON.stringify({ type: 'RESTRequest', transaction_id: 't', request_id, method, uri: path, query_strings }),
      );
    return new Promise((resolve) => this.#replies.set(request_id, resolve));
  }

  /** Waits until something is told, if it is said what, and then until nothing more comes. */
  async settle(until?: string): Promise<void> {
    if (until !== undefined) await this.#until(until);
    const quiet = SETTLE_MS[this.pbx.kind];
    do await wait(quiet);
    while (performance.now() - this.#lastEventAt < quiet);
    // Different applications hear the same at the same time: in which order they are written is chance.
    const told = inOneOrder(this.#untold.splice(0));
    const applications = [...new Set(told.map((line) => line.slice(0, line.indexOf(':'))))].sort();
    for (const application of applications) {
      for (const line of told.filter((one) => one.startsWith(`${application}:`))) {
        if (DIFFERENCES.some(({ fits }) => fits(line))) this.different.push(line);
        else this.lines.push(`  ${line}`);
      }
    }
  }

  /** What the suite itself has seen. */
  note(line: string): void {
    this.lines.push(line);
  }

  onEnd(close: () => unknown): void {
    this.#close.push(close);
  }

  /** Nothing of this case is there for the next one. */
  async end(): Promise<void> {
    for (const caller of this.#callers) await caller.hangUp();
    for (const { id } of (await this.ask('GET channels')).body as Array<{ id: string }>)
      await this.ask(`DELETE channels/${id}`);
    for (const { id } of (await this.ask('GET bridges')).body as Array<{ id: string }>)
      await this.ask(`DELETE bridges/${id}`);
    await this.#poll(async () => ((await this.ask('GET channels')).body as unknown[]).length === 0, 'no channel');
    // Asterisk keeps an application that is subscribed to a bridge, when its socket goes first.
    for (const close of this.#close.reverse()) await close();
    await this.#poll(
      async () => ((await this.ask('GET applications')).body as unknown[]).length === 0,
      'no application',
    );
  }

  async #poll(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const limit = performance.now() + UNTIL_MS;
    while (!(await isSo())) {
      if (performance.now() > limit) throw new Error(`there is still not ${what}; so far:\n${this.lines.join('\n')}`);
      await wait(10);
    }
  }

  async #until(what: string): Promise<void> {
    const fits = (line: string) => line.includes(what);
    if (this.#untold.some(fits)) return;
    const found = Promise.withResolvers<void>();
    this.#waiting.push({ fits, found: found.resolve });
    const limit = AbortSignal.timeout(UNTIL_MS);
    const late = () =>
      found.reject(new Error(`"${what}" did not come; so far:\n${[...this.lines, ...this.#untold].join('\n')}`));
    limit.addEventListener('abort', late);
    await found.promise;
    limit.removeEventListener('abort', late);
  }

  #onMessage(called: string, text: string): void {
    const event = JSON.parse(text) as Event;
    if (event.type === 'RESTResponse') {
      const { request_id, status_code, message_body } = event;
      this.#replies.get(String(request_id))?.({
        status: Number(status_code),
        body: typeof message_body === 'string' ? JSON.parse(message_body) : undefined,
      });
      return;
    }
    const { channel } = event as { channel?: { id: string; name: string } };
    if (
      channel?.name.startsWith('PJSIP/') &&
      event.type === 'StasisStart' &&
      !this.#names.has(channel.id) &&
      isMadeByPbx(channel.id)
    )
      this.#names.set(channel.id, 'caller');
    const line = `${called}: ${this.#named(lineOf(event))}`;
    if (!line.includes('RTPAUDIOQOS')) this.#lastEventAt = performance.now();
    this.#untold.push(line);
    const found = this.#waiting.filter(({ fits }) => fits(line));
    this.#waiting = this.#waiting.filter((one) => !found.includes(one));
    for (const one of found) one.found();
  }

  #named(text: string): string {
    let named = text;
    for (const [id, name] of this.#names) named = named.replaceAll(id, name);
    return named;
  }
}

/** Two threads of Asterisk tell that somebody rings: which is first is chance. */
function inOneOrder(lines: readonly string[]): string[] {
  const ordered = [...lines];
  for (let i = 1; i < ordered.length; i += 1) {
    const [before = '', line = ''] = ordered.slice(i - 1, i + 1);
    if (line.endsWith('Ringing') && before.endsWith('RINGING')) ordered.splice(i - 1, 2, line, before);
  }
  return ordered;
}

/** Ids that we choose have no epoch in them. */
function isMadeByPbx(id: string): boolean {
  return /\d{9,}\.\d+$/.test(id);
}

function messageIn(body: unknown): string {
  const { message, error } = (body ?? {}) as { message?: string; error?: string };
  return message ? ` ${message}` : error ? ` ${error}` : '';
}

/** An event in a few words: what somebody who programs against it relies on. */
function lineOf(event: Event): string {
  const { type, channel, bridge, playback, recording, peer } = event as Event & Record<string, Record<string, unknown>>;
  const who = [
    ...(channel ? [channel.id] : []),
    ...(peer ? [peer.id] : []),
    ...(bridge ? [`in ${bridge.id} of ${(bridge.channels as string[]).length}`] : []),
    ...(playback ? [playback.id, playback.media_uri, playback.state] : []),
    ...(recording ? [recording.name, recording.state] : []),
  ];
  const details: Record<string, unknown> = {
    StasisStart: JSON.stringify(event.args),
    ChannelStateChange: channel?.state,
    ChannelDtmfReceived: event.digit,
    ChannelVarset: `${event.variable}=${event.value}`,
    // Of a BYE it tells 16 or nothing, as it happens.
    ChannelHangupRequest:
      event.soft || (event.cause ?? 16) !== 16 ? `cause ${event.cause}${event.soft ? ' soft' : ''}` : '',
    ChannelDestroyed: `cause ${event.cause} ${event.cause_txt}`,
    ChannelDialplan: `${event.dialplan_app}(${event.dialplan_app_data})`,
    Dial: event.dialstatus === '' ? 'begins' : event.dialstatus,
  };
  return [type, ...who, details[type]].filter((part) => part !== undefined && part !== '').join(' ');
}
