import type { AriRequest } from '@callfleet/ari';
import { PbxRefusedError } from '../errors.ts';
import type { CallHost, PbxAnswer } from './call-host.ts';
import type { InputQueue } from './input-queue.ts';

export interface OperationParts {
  readonly host: CallHost;
  readonly name: string;
  readonly key: string;
  readonly noted?: unknown;
  readonly mayBeUnderWay?: boolean;
  /** Keeps a note. Default: nothing is kept. */
  readonly keep?: (value: unknown) => Promise<void>;
  /** What it reads. */
  readonly inputs?: InputQueue<unknown> | undefined;
  /** Aborted when what it is done for is over. */
  readonly over?: AbortSignal | undefined;
}

/**
 * One operation of a call program, while it is carried out. A command is known by its operation and what it asks: the same
 * again, from whichever worker, is a repeat.
 */
export class Operation {
  readonly name: string;
  /** Its number; for what the runtime does on its own account, a word. */
  readonly key: string;
  /** What an earlier owner of the call noted for this operation, if it was under way then. */
  readonly noted: unknown;
  /** An earlier owner of the call may have begun it. */
  readonly mayBeUnderWay: boolean;
  /** Aborted when nobody waits for it any more: it was cancelled, took too long, or the call is over. */
  readonly signal: AbortSignal;
  readonly #parts: OperationParts;
  readonly #stop = new AbortController();
  readonly #read: unknown[] = [];

  constructor(parts: OperationParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.key = parts.key;
    this.noted = parts.noted;
    this.mayBeUnderWay = parts.mayBeUnderWay ?? false;
    this.signal = parts.over ? AbortSignal.any([parts.over, this.#stop.signal]) : this.#stop.signal;
  }

  abort(reason: unknown): void {
    this.#stop.abort(reason);
  }

  /** It was cancelled, or took too long: what it has begun must be taken back. */
  get isAborted(): boolean {
    return this.#stop.signal.aborted;
  }

  /** How much of its inputs it has read. */
  get read(): number {
    return this.#read.length;
  }

  /** Reads the next of its inputs, if there is one. */
  take(): unknown {
    const item = this.#parts.inputs?.take();
    if (item !== undefined) this.#read.push(item);
    return item;
  }

  /** Undoes what it has read: the program was not told. */
  unread(): void {
    this.#parts.inputs?.giveBack(this.#read.splice(0));
  }

  /** Keeps something that whoever carries this operation on must know. Resolves when it can't be lost any more. */
  note(value: unknown): Promise<void> {
    return this.#parts.keep?.(value) ?? Promise.resolve();
  }

  /**
   * Sends one request to the PBX and takes any answer.
   *
   * @param attempt 2, 3, ... to have the same done again on purpose
   */
  command<T>(request: AriRequest<T>, attempt = 1): Promise<PbxAnswer<T>> {
    const { method, path, query } = request;
    // What is made under an id of ours is told apart by it: one operation may make several.
    const made = query.channelId === undefined ? '' : ` ${query.channelId}`;
    const id = `${this.key} ${method} ${path}${made}`;
    return this.#parts.host.command(attempt === 1 ? id : `${id} ${attempt}`, request);
  }

  /** Sends one request to the PBX; an answer of 400 or above is an error. @throws PbxRefusedError */
  async commandOk<T>(request: AriRequest<T>, attempt = 1): Promise<T> {
    const { status, reason, body } = await this.command(request, attempt);
    if (status >= 400) throw PbxRefusedError.of(this.name, status, reason);
    return body;
  }

  /** Makes something under an id of ours. That it is there already is as good: an earlier gateway made it. @throws PbxRefusedError */
  async make(request: AriRequest<unknown>, attempt = 1): Promise<void> {
    const { status, reason } = await this.command(request, attempt);
    if (status >= 400 && status !== EXISTS) throw PbxRefusedError.of(this.name, status, reason);
  }

  /** Removes something. That it is gone already is as good. @throws PbxRefusedError */
  async remove(request: AriRequest<unknown>): Promise<void> {
    const { status, reason } = await this.command(request);
    if (status >= 400 && status !== GONE) throw PbxRefusedError.of(this.name, status, reason);
  }
}

const EXISTS = 409;
const GONE = 404;
