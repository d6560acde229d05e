import type { Channel, ChannelEnd } from './channel.ts';
import type { Channels } from './channels.ts';
import type { PbxClock } from './pbx-clock.ts';

/** What somebody does who is dialled. */
export interface EndpointBehaviour {
  /** Default `answers`. */
  readonly does?: 'answers' | 'busy' | 'rejects' | 'no-answer' | 'congestion' | 'unreachable' | undefined;
  /** Rings before that, milliseconds. Default 0: not at all. */
  readonly afterMs?: number | undefined;
  /** Ends the call so long after having answered, milliseconds. Default: waits to be hung up. */
  readonly hangUpAfterMs?: number | undefined;
  /** Keys that it presses, each so long after its answer. */
  readonly digits?: ReadonlyArray<{ readonly afterMs: number; readonly digit: string }> | undefined;
}

/** How a call that is not answered ends: what Asterisk tells of it. */
const REFUSALS: Readonly<Record<string, { dialstatus: string; cause: number; techCause?: number }>> = {
  busy: { dialstatus: 'BUSY', cause: 17, techCause: 486 },
  rejects: { dialstatus: 'BUSY', cause: 21, techCause: 603 },
  congestion: { dialstatus: 'CONGESTION', cause: 34, techCause: 503 },
  unreachable: { dialstatus: 'CHANUNAVAIL', cause: 20, techCause: 480 },
};

const NO_ANSWER = { dialstatus: 'NOANSWER', cause: 19 };
const DIGIT_MS = 100;
const NORMAL_CLEARING = 16;

/** Technologies of channels that an address can begin with. */
const TECHNOLOGIES = new Set(['PJSIP', 'Local', 'SIP', 'IAX2', 'DAHDI']);

export interface EndpointsOptions {
  readonly clock: PbxClock;
  readonly channels: Channels;
  /** By their addresses, as `PJSIP/alice`. Others answer at once. */
  readonly endpoints: Readonly<Record<string, EndpointBehaviour>>;
}

/** Somebody who says nothing, and does not listen. */
export const NOBODY: ChannelEnd = { hear() {}, closed() {} };

export function isTechnology(name: string): boolean {
  return TECHNOLOGIES.has(name);
}

/** Those whom the PBX can dial. */
export class Endpoints {
  readonly #options: EndpointsOptions;
  readonly #behaviours: Map<string, EndpointBehaviour>;

  constructor(options: EndpointsOptions) {
    this.#options = options;
    this.#behaviours = new Map(Object.entries(options.endpoints));
  }

  /** What somebody does from now on. */
  set(address: string, behaviour: EndpointBehaviour): void {
    this.#behaviours.set(address, behaviour);
  }

  /**
   * Dials, and tells of it in Asterisk's order.
   *
   * @param how `ringMs`: how long it may ring, 0: for ever; `onAnswered` is told when the channel is up, after Dial;
   * `tellsFailure`: Dial says so too when it is not answered, as it does of what was originated, and not of what was created
   */
  dial(
    channel: Channel,
    address: string,
    how: { readonly ringMs: number; readonly tellsFailure: boolean; readonly onAnswered: () => void },
  ): void {
    const { ringMs, tellsFailure, onAnswered } = how;
    const { channels, clock } = this.#options;
    const { does = 'answers', afterMs = 0, ...later } = this.#behaviours.get(address) ?? {};
    const dialstring = address.slice(address.indexOf('/') + 1);
    this.#tell(channel, '', dialstring);
    const end = ({ dialstatus, cause, techCause }: { dialstatus: string; cause: number; techCause?: number }) =>
      channels.hangUp(channel, {
        cause,
        by: 'far-end',
        ...(techCause !== undefined && { techCause }),
        ...(tellsFailure && { before: () => this.#tell(channel, dialstatus, dialstring) }),
      });
    const act = () => {
      const refusal = REFUSALS[does];
      if (refusal) {
        end(refusal);
        return;
      }
      if (does === 'no-answer') return;
      cancelRinging?.();
      channels.answer(channel);
      this.#tell(channel, 'ANSWER', '');
      onAnswered();
      this.#goOn(channel, later);
    };
    const cancelRinging = ringMs > 0 ? clock.after(ringMs, () => end(NO_ANSWER)) : undefined;
    if (cancelRinging) channel.onGone.push(cancelRinging);
    if (afterMs > 0 || does === 'no-answer') {
      channels.setState(channel, 'Ringing');
      this.#tell(channel, 'RINGING', dialstring);
    }
    if (afterMs > 0) channel.onGone.push(clock.after(afterMs, act));
    else act();
  }

  #goOn(channel: Channel, { hangUpAfterMs, digits = [] }: EndpointBehaviour): void {
    const { channels, clock } = this.#options;
    for (const { afterMs, digit } of digits)
      channel.onGone.push(clock.after(afterMs, () => channels.press(channel, digit, DIGIT_MS)));
    if (hangUpAfterMs === undefined) return;
    const hangUp = () => channels.hangUp(channel, { cause: NORMAL_CLEARING, by: 'far-end' });
    channel.onGone.push(clock.after(hangUpAfterMs, hangUp));
  }

  #tell(channel: Channel, dialstatus: string, dialstring: string): void {
    this.#options.channels.tellDial(channel, { dialstatus, forward: '', dialstring });
  }
}
