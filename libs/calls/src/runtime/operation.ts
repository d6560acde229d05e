import type { AriRequest } from '@callfleet/ari';
import { PbxRefusedError } from '../errors.ts';
import type { CallHost, PbxAnswer } from './call-host.ts';

/** One numbered operation of a call program, while it is carried out. Its commands are numbered within it. */
export class Operation {
  readonly name: string;
  readonly number: number;
  readonly #host: CallHost;
  #commands = 0;

  constructor(host: CallHost, name: string, number: number) {
    this.#host = host;
    this.name = name;
    this.number = number;
  }

  /** Sends one request to the PBX and takes any answer. */
  command<T>(request: AriRequest<T>): Promise<PbxAnswer<T>> {
    this.#commands += 1;
    return this.#host.command(`${this.number}.${this.#commands}`, request);
  }

  /** Sends one request to the PBX; an answer of 400 or above is an error. @throws PbxRefusedError */
  async commandOk<T>(request: AriRequest<T>): Promise<T> {
    const { status, reason, body } = await this.command(request);
    if (status >= 400) throw new PbxRefusedError(this.name, status, reason);
    return body;
  }
}
