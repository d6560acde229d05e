import type { TimeSource } from '@callfleet/media';

/** This process's time. */
export const processTime: TimeSource = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.round(ms));
    return () => clearTimeout(timer);
  },
};
