import type { CallEvent } from '@callfleet/bus';

interface Waiter {
  readonly matches: (event: CallEvent) => boolean;
  readonly resolve: (event: CallEvent) => void;
}

/**
 * Promises for events of a call. What has come already counts: after a takeover, the event that an operation waits for may
 * be older than the worker that carries the operation on.
 */
export class EventWaiters {
  readonly #waiters = new Set<Waiter>();
  readonly #past: CallEvent[] = [];

  /** Rejects with the signal's reason when that comes first. */
  next(matches: (event: CallEvent) => boolean, signal: AbortSignal): Promise<CallEvent> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const past = this.#past.find(matches);
      if (past) {
        resolve(past);
        return;
      }
      const waiter: Waiter = {
        matches,
        resolve: (event) => {
          leave();
          resolve(event);
        },
      };
      const onAbort = () => {
        leave();
        reject(signal.reason);
      };
      const leave = () => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', onAbort);
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Tells a late listener everything that has come. */
  replayTo(listener: (event: CallEvent) => void): void {
    for (const event of this.#past) listener(event);
  }

  deliver(event: CallEvent): void {
    this.#past.push(event);
    for (const waiter of [...this.#waiters]) if (waiter.matches(event)) waiter.resolve(event);
  }
}
