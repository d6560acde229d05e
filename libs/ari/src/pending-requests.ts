import { AriBusyError, AriTimeoutError } from './errors.ts';
import type { AriRequest } from './request.ts';
import type { AriRequestOptions } from './requester.ts';
import { type AriResponse, ariResponse } from './response.ts';

export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly body: unknown;
}

interface Pending {
  settle(answer: Answer): void;
  fail(error: unknown): void;
}

/** Requests that wait for their answer on one socket. Bounded: one more than `limit` is refused, never queued. */
export class PendingRequests {
  readonly #url: string;
  readonly #limit: number;
  readonly #pending = new Map<string, Pending>();
  #lastId = 0;
  #drained: (() => void) | undefined;

  constructor(url: string, limit: number) {
    this.#url = url;
    this.#limit = limit;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Sends a request under a fresh id and waits for {@link settle}. What `send` throws rejects the request. */
  start<T>(
    request: AriRequest<T>,
    { timeoutMs, signal }: AriRequestOptions & { timeoutMs: number },
    send: (id: string) => void,
  ): Promise<AriResponse<T>> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#pending.size >= this.#limit)
      return Promise.reject(
        new AriBusyError(`${this.#limit} requests are in flight to ${this.#url}`, { url: this.#url }),
      );
    const id = String(++this.#lastId);
    return new Promise((resolve, reject) => {
      const finish = () => {
        this.#pending.delete(id);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        if (this.#pending.size === 0) this.#drained?.();
      };
      const fail = (error: unknown) => {
        finish();
        reject(error);
      };
      const abort = () => fail(signal?.reason);
      const timer = setTimeout(() => fail(this.#timeout(request, timeoutMs)), timeoutMs);
      signal?.addEventListener('abort', abort, { once: true });
      this.#pending.set(id, {
        fail,
        settle: (answer) => {
          finish();
          resolve(ariResponse(request, { url: this.#url, ...answer }));
        },
      });
      try {
        send(id);
      } catch (error) {
        fail(error);
      }
    });
  }

  /** @returns false if nobody waits for it: it came after its time limit */
  settle(id: string, answer: Answer): boolean {
    const pending = this.#pending.get(id);
    pending?.settle(answer);
    return pending !== undefined;
  }

  fail(id: string, error: unknown): void {
    this.#pending.get(id)?.fail(error);
  }

  /** Resolves when no request waits any more. */
  drained(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  failAll(error: unknown): void {
    for (const pending of [...this.#pending.values()]) pending.fail(error);
  }

  #timeout({ method, route }: AriRequest<unknown>, timeoutMs: number): AriTimeoutError {
    return new AriTimeoutError(`no answer to ${method} ${route} from ${this.#url} within ${timeoutMs} ms`, {
      url: this.#url,
      mayHaveRun: true,
    });
  }
}
