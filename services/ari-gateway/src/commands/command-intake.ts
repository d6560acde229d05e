import { answer, type Bus, type Command, type CommandReply, commandSchema } from '@callfleet/bus';
import type { Context } from '@opentelemetry/api';

type Execute = (command: Command, trace: Context) => Promise<CommandReply>;

const NOT_HELD = { ok: false, code: 'CF_SHARD_NOT_HELD', message: 'another gateway has the shard, or will' } as const;

/** Takes the commands of one shard, while that is this gateway's to do: of two that take them, each would carry them out. */
export class CommandIntake {
  readonly #bus: Bus;
  readonly #subject: string;
  readonly #execute: Execute;
  readonly #underWay = new Set<Promise<unknown>>();
  /** Ends the taking, and resolves when NATS has nothing more for it. */
  #end: (() => Promise<void>) | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(bus: Bus, subject: string, execute: Execute) {
    this.#bus = bus;
    this.#subject = subject;
    this.#execute = execute;
  }

  start(): void {
    if (this.#end) return;
    let isOpen = true;
    const subscription = answer(
      this.#bus,
      this.#subject,
      commandSchema,
      (command, trace) => (isOpen ? this.#take(command, trace) : NOT_HELD),
      ({ message }): CommandReply => ({ ok: false, code: 'CF_BUS_BAD_MESSAGE', message }),
    );
    this.#end = async () => {
      isOpen = false;
      // While NATS is away there is nothing to wait for.
      await subscription.drain().catch(() => {});
    };
  }

  /** At once: nothing that comes later is carried out. What NATS has sent already is told so, and is sent again. */
  stop(): void {
    if (!this.#end) return;
    this.#ended = this.#end();
    this.#end = undefined;
  }

  /** After `stop`: resolves when everything that was taken is answered. Its caller sets the time limit. */
  async drained(): Promise<void> {
    await this.#ended;
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #take(command: Command, trace: Context): Promise<CommandReply> {
    const reply = this.#execute(command, trace);
    this.#underWay.add(reply);
    const forget = () => this.#underWay.delete(reply);
    reply.then(forget, forget);
    return reply;
  }
}
