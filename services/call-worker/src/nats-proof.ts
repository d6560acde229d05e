import type { Bus } from '@callfleet/bus';

/** Has NATS answer again and again, and tells for each answer when it was asked, `performance.now()`. @returns stops */
export function proveOnNats(bus: Bus, everyMs: number, onProven: (sentAt: number) => void): () => void {
  let isAsking = false;
  const timer = setInterval(() => {
    if (isAsking) return;
    isAsking = true;
    const sentAt = performance.now();
    // Rejects when the connection breaks or is closed: no answer, no proof.
    bus.nc
      .flush()
      .then(() => onProven(sentAt))
      .catch(() => {})
      .finally(() => {
        isAsking = false;
      });
  }, everyMs);
  return () => clearInterval(timer);
}
