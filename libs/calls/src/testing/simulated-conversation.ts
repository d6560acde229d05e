import { MediaUnavailableError } from '../errors.ts';
import type { OpenMediaSession } from '../runtime/call-host.ts';
import { doInTurn } from './doings.ts';
import { farEnd, type SimulatedWorld } from './simulated-world.ts';
import type { ConversationDoing } from './simulation-options.ts';

const RELAY = 'relay-1';

/** One media session of a simulated relay: what is said in it is scripted. */
export class SimulatedConversation {
  readonly provider: string;
  readonly #session: string;
  readonly #world: SimulatedWorld;
  readonly #openTools = new Set<string>();
  readonly #done = new Set<string>();
  #startedAt = 0;
  #tools = 0;
  #isOver = false;

  constructor(world: SimulatedWorld, session: string, provider: string) {
    this.#world = world;
    this.#session = session;
    this.provider = provider;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** For the runtime. @throws MediaUnavailableError */
  open(): OpenMediaSession {
    const script = this.#world.options.conversations?.[this.provider] ?? [];
    if (script === 'unavailable') throw MediaUnavailableError.of('no relay has room');
    return {
      relay: RELAY,
      leg: {
        external_host: '127.0.0.1:20000',
        encapsulation: 'rtp',
        transport: 'udp',
        connection_type: 'client',
        format: 'ulaw',
      },
      attach: async () => this.#start(script),
      ...this.known(),
    };
  }

  known(): Pick<OpenMediaSession, 'order' | 'close'> {
    return {
      order: async (order) => {
        if (this.#isOver) throw MediaUnavailableError.of('the session is over');
        // A repeat, from the next worker, changes nothing.
        if (order.op === 'private' || order.op === 'digit') return;
        const { op, id } = order;
        if (this.#done.has(`${op} ${id}`)) return;
        this.#done.add(`${op} ${id}`);
        if (order.op === 'say') this.#world.transcript.add('program', `conversation.say "${order.text}"`);
        else {
          this.#openTools.delete(id);
          this.#world.transcript.add('program', `conversation.toolResult ${id} ${order.result}`);
        }
      },
      close: async () => {
        this.#isOver = true;
      },
    };
  }

  /** Lets something happen in it. */
  act(doing: ConversationDoing): void {
    const { transcript, clock, options } = this.#world;
    const atMs = clock.now() - this.#startedAt;
    if ('toolCall' in doing) {
      this.#tools += 1;
      const id = `tool-${this.#tools}`;
      const { name, arguments: given = {} } = doing.toolCall;
      this.#openTools.add(id);
      transcript.add('bot', `calls ${name} ${JSON.stringify(given)}`);
      this.#tell('tool-call', { id, name, arguments: given });
    } else if ('interrupt' in doing) {
      transcript.add(farEnd(options), 'interrupts');
      this.#tell('interrupted', { atMs, unplayedMs: 0 });
      for (const id of this.#openTools) this.#tell('tool-call-cancelled', { id });
      this.#openTools.clear();
    } else if ('ends' in doing) {
      this.#isOver = true;
      transcript.add('bot', `is gone: ${doing.ends}`);
      const { ends: reason, detail } = doing;
      this.#tell('ended', { relay: RELAY, reason, ...(detail !== undefined && { detail }) });
    } else if ('caller' in doing) {
      transcript.add(farEnd(options), `says "${doing.caller}"`);
      this.#tell('speech-started', { atMs });
      this.#tell('speech-stopped', { atMs });
      this.#tell('turn', { role: 'caller', text: doing.caller, startMs: atMs, endMs: atMs });
    } else {
      transcript.add('bot', `says "${doing.bot}"`);
      this.#tell('turn', { role: 'bot', text: doing.bot, startMs: atMs, endMs: atMs });
    }
  }

  #start(script: readonly ConversationDoing[]): void {
    if (this.#startedAt > 0) return;
    this.#startedAt = this.#world.clock.now();
    this.#tell('started', { relay: RELAY });
    doInTurn(script, { ...this.#world, isOver: () => this.#isOver }, (doing) => this.act(doing));
  }

  #tell(what: string, data: Record<string, unknown>): void {
    this.#world.tell(`media.${what}`, { session: this.#session, ...data });
  }
}
