import type { z } from 'zod';
import { type Answer, refused } from './answer.ts';
import type { PbxClock } from './pbx-clock.ts';
import { checked, type FaultSettings, faultSettings } from './schemas.ts';

/** What goes wrong, by chance and for as long as it is asked for. */
export class Faults {
  readonly #clock: PbxClock;
  #settings: z.output<typeof faultSettings>;
  #chance: number;
  eventsLost = 0;
  eventsRepeated = 0;
  requestsFailed = 0;

  constructor(clock: PbxClock, seed: number, settings: FaultSettings) {
    this.#clock = clock;
    this.#chance = seed >>> 0;
    this.#settings = this.set(settings);
  }

  get settings(): z.output<typeof faultSettings> {
    return this.#settings;
  }

  /** In place of all that was set before; what is not named is as it should be. @throws PbxSimError */
  set(settings: unknown): z.output<typeof faultSettings> {
    this.#settings = checked(faultSettings, settings, 'faults');
    this.#clock.skewMs = this.#settings.clockSkewMs;
    return this.#settings;
  }

  /** How many copies of the next event are sent. */
  copies(): number {
    const { loseShare, repeatShare } = this.#settings.events;
    if (loseShare > 0 && this.#random() < loseShare) {
      this.eventsLost += 1;
      return 0;
    }
    if (repeatShare > 0 && this.#random() < repeatShare) {
      this.eventsRepeated += 1;
      return 2;
    }
    return 1;
  }

  /** Lets a request through, late or never. */
  around(route: string, carryOut: () => Answer | Promise<Answer>): Answer | Promise<Answer> {
    const { delayMs, failShare, failStatus, route: only } = this.#settings.rest;
    if ((delayMs === 0 && failShare === 0) || !route.includes(only)) return carryOut();
    const isFailed = failShare > 0 && this.#random() < failShare;
    if (isFailed) this.requestsFailed += 1;
    const act = () => (isFailed ? refused(failStatus, 'A fault was asked for', 'Fault') : carryOut());
    if (delayMs === 0) return act();
    const later = Promise.withResolvers<void>();
    this.#clock.after(delayMs, later.resolve);
    return later.promise.then(act);
  }

  /** mulberry32: 0 to 1, the same again with the same seed. */
  #random(): number {
    this.#chance = (this.#chance + 0x6d2b79f5) >>> 0;
    let t = this.#chance;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}
