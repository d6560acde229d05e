import type { AriRequest, AriRequester, AriResponse } from '@callfleet/ari';
import type { Command, CommandReply } from '@callfleet/bus';
import { type CallId, callIdOf } from '@callfleet/identity';
import {
  acquireLease,
  assertLease,
  isSessionAlive,
  type Lease,
  type LeaseRedis,
  type Presence,
} from '@callfleet/leases';
import { createLogger } from '@callfleet/telemetry';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { CommandExecutor } from './command-executor.ts';
import { LiveCalls } from './live-call.ts';

const SESSION_TTL_MS = 60_000;

/** What a PBX did, and for whom. */
export interface Effect {
  readonly commandId: string;
  /** Which sending of the command had it. */
  readonly sent: string;
}

/** A worker's hold on a call, as the worker sees it; it may be wrong. */
interface Hold {
  readonly lease: Lease;
  /** How much of the journal it knows. */
  known: number;
}

interface ContendingWorker {
  readonly instance: string;
  presence: Presence;
  readonly holds: Map<CallId, Hold>;
  /** Replies that it has not heard yet. */
  inbox: Array<{ command: Command; reply: CommandReply }>;
}

interface SentCommand {
  readonly worker: ContendingWorker;
  readonly command: Command;
}

/**
 * Workers that contend for calls, by the real leases in a real Redis, before the real executor of a gateway. Each command may be
 * late, each worker may hang, die, or be wrong about what it owns. The program of a call is a row of operations; the journal
 * takes an entry only behind the last.
 */
export class ContendingWorkers {
  readonly calls: readonly CallId[];
  readonly effects: Effect[] = [];
  /** Each reply, with the highest epoch that the gateway had accepted of its call before. */
  readonly replies: Array<{ command: Command; reply: CommandReply; acceptedBefore: number; effectsOf: number }> = [];
  /** By call and epoch, the workers whose claim was accepted. */
  readonly accepted = new Map<string, Set<string>>();
  readonly gateway = new LiveCalls();
  readonly executor: CommandExecutor;
  readonly #redis: LeaseRedis;
  readonly #workers: ContendingWorker[];
  readonly #everybody = new Map<string, ContendingWorker>();
  readonly #journals = new Map<CallId, string[]>();
  /** By call, the highest epoch that the gateway knew when it filed the call's last offer. */
  readonly #offered = new Map<CallId, number>();
  readonly #highest = new Map<CallId, number>();
  #underWay: SentCommand[] = [];
  #born = 0;
  #sentAri = 0;

  constructor(redis: LeaseRedis, workers: number, calls: number) {
    this.#redis = redis;
    this.calls = Array.from({ length: calls }, (_, n) => callIdOf('pbx-a', `call-${n}`));
    this.#workers = Array.from({ length: workers }, () => this.#newWorker());
    this.executor = new CommandExecutor({
      pbx: 'pbx-a',
      shard: 'callfleet-1',
      calls: this.gateway,
      places: { counted: (_call, _request, send) => send() },
      ari: { request: (request) => this.#carryOut(request) } as AriRequester,
      timeoutMs: 1000,
      onClaimed: (call, worker) => {
        call.worker = worker;
      },
      onDone: () => {},
      onReleased: () => {},
      log: createLogger('test', 'test', { level: 'silent', format: 'json' }),
    });
  }

  /** The gateway files the call's offer, whether it must or by a false alarm. */
  offer(call: CallId): void {
    this.#offered.set(call, this.gateway.get(call).epoch);
  }

  /** The worker takes the call's last offer: it may be an old one. */
  async take(n: number, call: CallId): Promise<void> {
    const worker = this.#worker(n);
    if (worker.presence !== 'there') return;
    const session = { instance: worker.instance, isAlive: (other: string) => this.#isAlive(other) };
    const lease = await acquireLease(this.#redis, session, call, {
      floor: this.#offered.get(call) ?? 0,
      presenceOf: async (owner) => this.#everybody.get(owner)?.presence ?? 'gone',
    });
    if (worker.presence !== 'there' || lease.owner !== worker.instance) return;
    this.#send(worker, { kind: 'claim', call, epoch: lease.epoch, worker: worker.instance });
    if (worker.holds.get(call)?.lease.epoch === lease.epoch) return;
    const journal = this.#journal(call);
    if (lease.epoch > 1 || journal.length > 0) journal.push('taken');
    worker.holds.set(call, { lease, known: journal.length });
  }

  async race(call: CallId): Promise<void> {
    await Promise.all(this.#workers.map((_, n) => this.take(n, call)));
  }

  /** The worker sends the command of the operation at which its program stands, again if it has sent it before. */
  operate(n: number, call: CallId): void {
    const worker = this.#worker(n);
    const hold = worker.holds.get(call);
    if (!hold || worker.presence !== 'there') return;
    const done = this.#journal(call).slice(0, hold.known);
    this.#sendAri(worker, hold, String(done.filter((entry) => entry !== 'taken').length + 1));
  }

  /** The worker sends what is not the program's: removing what was made. */
  cleanUp(n: number, call: CallId): void {
    const worker = this.#worker(n);
    const hold = worker.holds.get(call);
    if (hold && worker.presence === 'there') this.#sendAri(worker, hold, `end ${hold.lease.epoch}`);
  }

  /** The n-th command that is under way comes to the gateway, before or after others. */
  async deliver(n: number): Promise<void> {
    const [sent] = this.#underWay.splice(n % Math.max(1, this.#underWay.length), 1);
    if (sent) await this.#execute(sent);
  }

  /** Everything that is under way comes to the gateway at once. */
  async deliverAll(): Promise<void> {
    await Promise.all(this.#underWay.splice(0).map((sent) => this.#execute(sent)));
  }

  /** The worker reads its replies: what was carried out goes into the journal, if the call is still its own. */
  hear(n: number): void {
    const worker = this.#worker(n);
    if (worker.presence !== 'there') return;
    for (const { command, reply } of worker.inbox.splice(0)) {
      const hold = worker.holds.get(command.call);
      if (!hold || hold.lease.epoch !== command.epoch) continue;
      if (!reply.ok) worker.holds.delete(command.call);
      else if (command.kind === 'ari') this.#keep(worker, hold, command);
    }
  }

  /** It answers nobody, and does nothing; what it has sent goes its way. */
  suspend(n: number): void {
    this.#worker(n).presence = 'silent';
  }

  /** Its session runs out: it hangs, or can't reach Redis. */
  async runOut(n: number): Promise<void> {
    await this.#redis.renewSession('cf:session:worker', this.#worker(n).instance, 1, 1);
    while (await this.#isAlive(this.#worker(n).instance)) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** It goes on as if nothing had been. */
  wake(n: number): void {
    this.#worker(n).presence = 'there';
  }

  async renew(n: number): Promise<void> {
    if (this.#worker(n).presence === 'there')
      await this.#redis.renewSession('cf:session:worker', this.#worker(n).instance, SESSION_TTL_MS, 1);
  }

  /** It is dead, and another starts in its stead; what it has sent goes its way. */
  kill(n: number): void {
    this.#worker(n).presence = 'gone';
    this.#workers[n] = this.#newWorker();
  }

  async flushRedis(): Promise<void> {
    await this.#redis.flushall();
  }

  /** The worker says again what it owns, and lets go what it does not. */
  async assertLeases(n: number): Promise<void> {
    const worker = this.#worker(n);
    if (worker.presence !== 'there') return;
    for (const [call, { lease }] of [...worker.holds])
      if (!(await assertLease(this.#redis, lease))) worker.holds.delete(call);
  }

  /** All workers die, and each call is offered once more. @returns whether whoever takes it can act for it */
  async canBeServedAnew(): Promise<boolean> {
    await this.deliverAll();
    for (const n of this.#workers.keys()) this.kill(n);
    for (const call of this.calls) {
      this.offer(call);
      await this.take(0, call);
      this.operate(0, call);
    }
    const before = this.replies.length;
    await this.deliverAll();
    return this.replies.slice(before).every(({ reply }) => reply.ok);
  }

  #worker(n: number): ContendingWorker {
    return this.#workers[n] as ContendingWorker;
  }

  #newWorker(): ContendingWorker {
    this.#born += 1;
    const worker = { instance: `worker-${this.#born}`, presence: 'there' as const, holds: new Map(), inbox: [] };
    this.#everybody.set(worker.instance, worker);
    return worker;
  }

  #journal(call: CallId): string[] {
    const journal = this.#journals.get(call) ?? [];
    this.#journals.set(call, journal);
    return journal;
  }

  #isAlive(instance: string): Promise<boolean> {
    return isSessionAlive(this.#redis, 'worker', instance);
  }

  #keep(worker: ContendingWorker, hold: Hold, { call, id }: Extract<Command, { kind: 'ari' }>): void {
    const journal = this.#journal(call);
    const operation = id.slice(id.indexOf('#') + 1);
    if (operation.startsWith('end') || journal.slice(0, hold.known).includes(operation)) return;
    if (journal.length !== hold.known) {
      worker.holds.delete(call);
      return;
    }
    journal.push(operation);
    hold.known += 1;
  }

  #sendAri(worker: ContendingWorker, { lease }: Hold, operation: string): void {
    const call = lease.what as CallId;
    this.#sentAri += 1;
    this.#send(worker, {
      kind: 'ari',
      call,
      epoch: lease.epoch,
      id: `${call}#${operation}`,
      request: {
        method: 'POST',
        route: '/channels/{channelId}/play',
        path: `channels/${call}/play`,
        query: { call, operation, sent: String(this.#sentAri) },
      },
    });
  }

  #send(worker: ContendingWorker, command: Command): void {
    this.#underWay.push({ worker, command });
  }

  async #execute({ worker, command }: SentCommand): Promise<void> {
    const { call, epoch } = command;
    const acceptedBefore = this.#highest.get(call) ?? 0;
    const executing = this.executor.execute(command, ROOT_CONTEXT);
    // It decides at once; its answer may take as long as the PBX does.
    if (this.gateway.get(call).epoch === epoch && epoch > acceptedBefore) this.#highest.set(call, epoch);
    const reply = await executing;
    // Told apart from others of the same owner, which may be executed in the same moment.
    const sent = command.kind === 'ari' ? command.request.query.sent : undefined;
    const effectsOf = this.effects.filter((effect) => effect.sent === sent).length;
    this.replies.push({ command, reply, acceptedBefore, effectsOf });
    if (reply.ok && command.kind === 'claim') {
      const key = `${call} ${epoch}`;
      this.accepted.set(key, (this.accepted.get(key) ?? new Set()).add(command.worker));
    }
    worker.inbox.push({ command, reply });
  }

  async #carryOut<T>({ method, route, query }: AriRequest<T>): Promise<AriResponse<T>> {
    const { call, operation, sent = '' } = query;
    this.effects.push({ commandId: `${call}#${operation}`, sent });
    await new Promise((resolve) => setImmediate(resolve));
    return { ok: true, status: 204, reason: 'No Content', method, route, url: '', body: undefined as T };
  }
}
