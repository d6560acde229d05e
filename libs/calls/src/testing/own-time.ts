import { AsyncLocalStorage } from 'node:async_hooks';

/** What a program finds when it looks at the time and at chance by itself. */
export interface OwnTime {
  /** `Date.now()`, milliseconds since the epoch. */
  now(): number;
  /** `Math.random()` */
  random(): number;
}

const current = new AsyncLocalStorage<OwnTime>();

/** Runs something that finds that time and that chance. */
export function withTime<T>(time: OwnTime, run: () => T): T {
  return current.run(time, run);
}

/**
 * Makes `Date` and `Math.random` tell what {@link withTime} says, to those that run in it; to all others what they always do.
 *
 * @returns puts everything back
 */
export function patchTime(): () => void {
  const { Date: RealDate } = globalThis;
  const { random } = Math;
  const now = () => current.getStore()?.now() ?? RealDate.now();
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, given, newTarget) =>
      Reflect.construct(
        target,
        given.length === 0 ? [now()] : given,
        newTarget === globalThis.Date ? target : newTarget,
      ),
    apply: () => new RealDate(now()).toString(),
    get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
  });
  Math.random = () => current.getStore()?.random() ?? random();
  return () => {
    globalThis.Date = RealDate;
    Math.random = random;
  };
}
