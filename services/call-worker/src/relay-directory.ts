import { setTimeout as wait } from 'node:timers/promises';
import { type Bus, decodeMessage, type RelayAnnouncement, relayAnnouncementSchema, subjects } from '@callfleet/bus';

/** A relay that has not announced itself for this long is not offered, milliseconds; they announce every second. */
const STALE_AFTER_MS = 3500;
/** A worker that has just started may not have heard every relay yet, milliseconds. */
const FIRST_ROUND_MS = 1500;

/** The relays that are there, from what they announce. */
export class RelayDirectory {
  readonly #relays = new Map<string, { announcement: RelayAnnouncement; heardAt: number }>();
  readonly #now: () => number;
  readonly #startedAt: number;
  #heard = Promise.withResolvers<void>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#startedAt = now();
  }

  hear(announcement: RelayAnnouncement): void {
    this.#relays.set(announcement.relay, { announcement, heardAt: this.#now() });
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }

  /** It is dead, or hangs: not a candidate until it is heard again. */
  forget(relay: string): void {
    this.#relays.delete(relay);
  }

  /** As `candidates`; but while it is new, and there is none, it waits for the next relay that is heard. */
  async candidatesSoon(zone: string): Promise<RelayAnnouncement[]> {
    for (;;) {
      const candidates = this.candidates(zone);
      const leftMs = this.#startedAt + FIRST_ROUND_MS - this.#now();
      if (candidates.length > 0 || leftMs <= 0) return candidates;
      await Promise.race([this.#heard.promise, wait(leftMs)]);
    }
  }

  /** Those that take sessions, best first: those that keep time before others, of the zone before others, then the emptiest. */
  candidates(zone: string): RelayAnnouncement[] {
    const now = this.#now();
    const candidates: RelayAnnouncement[] = [];
    for (const [name, { announcement, heardAt }] of this.#relays) {
      if (now - heardAt > STALE_AFTER_MS) this.#relays.delete(name);
      else if (!announcement.draining && announcement.sessions < announcement.maxSessions)
        candidates.push(announcement);
    }
    const load = (relay: RelayAnnouncement) => relay.sessions / relay.maxSessions;
    const distance = (relay: RelayAnnouncement) => (relay.zone === zone ? 0 : 1);
    const lateness = (relay: RelayAnnouncement) => (relay.late ? 1 : 0);
    return candidates.sort((a, b) => lateness(a) - lateness(b) || distance(a) - distance(b) || load(a) - load(b));
  }
}

/** Keeps the directory fed. @returns stops */
export function followRelays(bus: Bus, directory: RelayDirectory, onBadMessage: (error: unknown) => void): () => void {
  const subscription = bus.nc.subscribe(subjects.relayAnnouncements, {
    callback: (error, message) => {
      if (error) return onBadMessage(error);
      try {
        directory.hear(decodeMessage(relayAnnouncementSchema, message.data));
      } catch (error) {
        onBadMessage(error);
      }
    },
  });
  return () => subscription.unsubscribe();
}
