import type { CallEvent } from '@callfleet/bus';

/**
 * The events of a call, from its start. What has come already counts: after a takeover, the event that an operation waits for
 * may be older than the worker that carries the operation on.
 */
export class CallEvents {
  readonly #listeners = new Set<(event: CallEvent) => void>();
  readonly #past: CallEvent[] = [];

  deliver(event: CallEvent): void {
    this.#past.push(event);
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** Tells everything that has come, and what will come. @returns stops */
  subscribe(listener: (event: CallEvent) => void): () => void {
    for (const event of this.#past) listener(event);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether such an event has come. */
  has(fits: (event: CallEvent) => boolean): boolean {
    return this.#past.some(fits);
  }

  /** The first event that fits. Rejects with the signal's reason when that comes first. */
  first(fits: (event: CallEvent) => boolean, signal: AbortSignal): Promise<CallEvent> {
    return new Promise((resolve, reject) => {
      const past = this.#past.find(fits);
      if (past) {
        resolve(past);
        return;
      }
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const listener = (event: CallEvent) => {
        if (!fits(event)) return;
        leave();
        resolve(event);
      };
      const onAbort = () => {
        leave();
        reject(signal.reason);
      };
      const leave = () => {
        this.#listeners.delete(listener);
        signal.removeEventListener('abort', onAbort);
      };
      this.#listeners.add(listener);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
