import type { AriRequest } from '@callfleet/ari';
import { PbxRefusedError } from '../errors.ts';
import type { CallHost, PbxAnswer } from './call-host.ts';

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
  readonly #host: CallHost;
  readonly #keep: (value: unknown) => Promise<void>;
  #digits = 0;

  constructor(options: {
    host: CallHost;
    name: string;
    key: string;
    noted?: unknown;
    keep?: (value: unknown) => Promise<void>;
  }) {
    this.#host = options.host;
    this.name = options.name;
    this.key = options.key;
    this.noted = options.noted;
    this.#keep = options.keep ?? (() => Promise.resolve());
  }

  /** How many of the pressed digits it has read. */
  get digits(): number {
    return this.#digits;
  }

  readDigit(): void {
    this.#digits += 1;
  }

  /** Keeps something that whoever carries this operation on must know. Resolves when it can't be lost any more. */
  note(value: unknown): Promise<void> {
    return this.#keep(value);
  }

  /** Sends one request to the PBX and takes any answer. */
  command<T>(request: AriRequest<T>): Promise<PbxAnswer<T>> {
    return this.#host.command(`${this.key} ${request.method} ${request.path}`, request);
  }

  /** Sends one request to the PBX; an answer of 400 or above is an error. @throws PbxRefusedError */
  async commandOk<T>(request: AriRequest<T>): Promise<T> {
    const { status, reason, body } = await this.command(request);
    if (status >= 400) throw PbxRefusedError.of(this.name, status, reason);
    return body;
  }
}
