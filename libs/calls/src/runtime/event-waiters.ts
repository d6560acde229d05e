import type { CallEvent } from '@callfleet/bus';

interface Waiter {
  readonly matches: (event: CallEvent) => boolean;
  readonly resolve: (event: CallEvent) => void;
}

/** Promises for events that are still to come. Ask before the command that causes the event, or it may be missed. */
export class EventWaiters {
  readonly #waiters = new Set<Waiter>();

  /** Rejects with the signal's reason when that comes first. */
  next(matches: (event: CallEvent) => boolean, signal: AbortSignal): Promise<CallEvent> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
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

  deliver(event: CallEvent): void {
    for (const waiter of [...this.#waiters]) if (waiter.matches(event)) waiter.resolve(event);
  }
}
