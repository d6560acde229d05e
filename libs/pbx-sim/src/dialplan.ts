import type { Applications } from './applications.ts';
import type { Channel } from './channel.ts';
import type { Channels } from './channels.ts';
import { NORMAL_CLEARING } from './hangup-cause.ts';
import type { PbxClock } from './pbx-clock.ts';

interface DialplanOptions {
  /** Stasis applications that calls are offered to: each call begins at the next one, and tries the others. */
  readonly applications: readonly string[];
  /** When nobody serves any of them, they are tried so often, half a second apart. */
  readonly rounds: number;
  /** The fallback answers, and hangs up so much later, milliseconds. */
  readonly fallbackMs: number;
}

/** Who has gone through the dialplan, and how it went on. */
export interface DialplanCounts {
  entered: number;
  /** Nobody served any application. */
  unserved: number;
  /** By `CALLFLEET_STATUS`; empty: it had none. */
  readonly fallback: Map<string, number>;
}

export interface DialplanParts extends DialplanOptions {
  readonly clock: PbxClock;
  readonly applicationsThere: Applications;
  readonly channels: Channels;
  /** A call has come to the fallback. */
  readonly onFallback: (channel: Channel, status: string) => void;
}

const FALLBACK = 'callfleet-fallback';
const ROUND_MS = 500;

/**
 * What `callfleet pbx-config` writes into a PBX's extensions.conf: Stasis of one application after the other; what nobody serves,
 * and what an application gives back, goes to the fallback.
 */
export class Dialplan {
  readonly #parts: DialplanParts;
  readonly counts: DialplanCounts = { entered: 0, unserved: 0, fallback: new Map() };
  #turn = 0;

  constructor(parts: DialplanParts) {
    this.#parts = parts;
  }

  enter(channel: Channel): void {
    this.counts.entered += 1;
    channel.hasDialplan = true;
    channel.onContinued = (where) => this.#fallBack(channel, where);
    this.#offer(channel, 1);
  }

  #offer(channel: Channel, round: number): void {
    if (channel.isGone) return;
    const { applications, applicationsThere, channels, clock, rounds } = this.#parts;
    this.#turn += 1;
    for (let i = 0; i < applications.length; i += 1) {
      const application = applications[(this.#turn + i) % applications.length] as string;
      if (!applicationsThere.isServed(application)) continue;
      channels.enterStasis(channel, application, []);
      return;
    }
    if (round < rounds) {
      clock.after(ROUND_MS, () => this.#offer(channel, round + 1));
      return;
    }
    this.counts.unserved += 1;
    channels.setVariable(channel, 'CALLFLEET_STATUS', 'NOGATEWAY');
    this.#fallBack(channel, {});
  }

  #fallBack(channel: Channel, where: { context?: string; extension?: string; priority?: number }): void {
    const { channels, clock, fallbackMs, onFallback } = this.#parts;
    const { context = FALLBACK, extension = channel.dialplan.exten, priority = 1 } = where;
    const status = channel.variables.get('CALLFLEET_STATUS') ?? '';
    this.counts.fallback.set(status, (this.counts.fallback.get(status) ?? 0) + 1);
    Object.assign(channel.dialplan, { context, exten: extension, priority });
    channels.execute(channel, 'Answer', '');
    onFallback(channel, status);
    channels.answer(channel);
    channel.dialplan.priority += 1;
    channels.execute(channel, 'Wait', String(fallbackMs / 1000));
    const cancel = clock.after(fallbackMs, () => {
      channel.dialplan.priority += 1;
      channels.execute(channel, 'Hangup', '');
      channels.hangUp(channel, { cause: NORMAL_CLEARING, by: 'dialplan' });
    });
    channel.onGone.push(cancel);
  }
}
