import type { Gathered, GatherOptions } from '../party.ts';
import type { Clock } from './call-host.ts';
import type { InputQueue } from './input-queue.ts';
import type { Operation } from './operation.ts';

/** Reads digits until there are enough, the finish key comes, or the caller pauses too long. */
export function gatherDigits(
  digits: InputQueue<string>,
  clock: Clock,
  options: GatherOptions,
  operation: Operation,
  signal: AbortSignal,
): Promise<Gathered> {
  const count = options.count ?? 1;
  const firstMs = options.firstDigitTimeoutMs ?? 5000;
  const betweenMs = options.interDigitTimeoutMs ?? 3000;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    let read = '';
    let cancelTimer = () => {};
    const finish = (reason: Gathered['reason']) => {
      leave();
      resolve({ digits: read, reason });
    };
    const restart = (ms: number) => {
      cancelTimer();
      cancelTimer = clock.after(ms, () => finish('timeout'));
    };
    const drain = () => {
      for (let digit = operation.take(); digit !== undefined; digit = operation.take()) {
        if (digit === options.finishKey) return finish('finish-key');
        read += digit as string;
        if (read.length >= count) return finish('count');
        restart(betweenMs);
      }
    };
    const onAbort = () => {
      leave();
      reject(signal.reason);
    };
    const stopListening = digits.onInput(drain);
    const leave = () => {
      cancelTimer();
      stopListening();
      signal.removeEventListener('abort', onAbort);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    restart(firstMs);
    drain();
  });
}
