import type { PacingClock } from '@callfleet/media';
import type { z } from 'zod';
import { CallerVoice, toneOf } from './caller-voice.ts';
import type { Channel, ChannelEnd } from './channel.ts';
import type { Channels } from './channels.ts';
import type { Dialplan } from './dialplan.ts';
import { PbxSimError } from './errors.ts';
import { textOfCause } from './hangup-cause.ts';
import { Heard, type HeardReport } from './heard.ts';
import type { PbxClock } from './pbx-clock.ts';
import type { callScript } from './schemas.ts';

/** How a call went. Times are milliseconds since it began. */
export interface CallReport {
  readonly id: number;
  readonly channelId: string;
  readonly from: string;
  readonly extension: string;
  readonly answered: boolean;
  readonly answeredAfterMs?: number;
  readonly endedAfterMs: number;
  /** `lost`: the PBX died. */
  readonly endedBy: 'caller' | 'pbx' | 'lost';
  readonly cause: number;
  readonly causeText: string;
  /** It came to the fallback, with this in CALLFLEET_STATUS. */
  readonly fallback?: string;
  readonly heard: HeardReport;
}

/** A caller, as whoever placed it sees it. */
export interface SimulatedCall {
  readonly id: number;
  readonly channelId: string;
  readonly from: string;
  /** Rejects with CF_PBX_SIM_NOT_ANSWERED. */
  readonly answered: Promise<{ readonly afterMs: number }>;
  /** The first sound that is no silence, since the answer. Rejects with CF_PBX_SIM_NOTHING_HEARD. */
  readonly heard: Promise<{ readonly afterMs: number }>;
  readonly ended: Promise<CallReport>;
  /** What was heard so far. */
  readonly heardSoFar: HeardReport;
  readonly isOver: boolean;
  press(digits: string): void;
  hangUp(): void;
}

export interface CallerParts {
  readonly clock: PbxClock;
  readonly pacing: PacingClock;
  readonly channels: Channels;
  readonly dialplan: Dialplan;
}

const DIGIT_MS = 100;
const NORMAL_CLEARING = 16;
/** Of a caller that goes before it is answered: SIP's CANCEL. */
const CANCELLED = { cause: 127, techCause: 487 };
const FIRST_NUMBER = 4_930_000_000;

export class Caller implements SimulatedCall {
  readonly id: number;
  readonly channelId: string;
  readonly from: string;
  readonly answered: Promise<{ readonly afterMs: number }>;
  readonly heard: Promise<{ readonly afterMs: number }>;
  readonly ended: Promise<CallReport>;
  readonly #script: z.output<typeof callScript>;
  readonly #parts: CallerParts;
  readonly #channel: Channel;
  readonly #voice: CallerVoice;
  readonly #heard: Heard;
  readonly #answer = Promise.withResolvers<{ afterMs: number }>();
  readonly #firstSound = Promise.withResolvers<{ afterMs: number }>();
  readonly #end = Promise.withResolvers<CallReport>();
  readonly #startedAt = performance.now();
  #answeredAt: number | undefined;
  #hasHeard = false;
  #fallback: string | undefined;
  #endedBy: CallReport['endedBy'] = 'pbx';
  #isOver = false;
  #stopTalking: (() => void) | undefined;
  #cancelGivingUp: (() => void) | undefined;

  constructor(id: number, script: z.output<typeof callScript>, parts: CallerParts) {
    this.id = id;
    this.#script = script;
    this.#parts = parts;
    this.from = script.from ?? String(FIRST_NUMBER + id);
    this.#voice = new CallerVoice({ toneHz: toneOf(id), ...defined(script.talk) });
    this.#heard = new Heard(this.#voice.toneHz);
    this.answered = this.#answer.promise;
    this.heard = this.#firstSound.promise;
    this.ended = this.#end.promise;
    // Not everybody asks.
    this.answered.catch(() => {});
    this.heard.catch(() => {});
    const { channels } = parts;
    this.#channel = channels.add({
      id: channels.nextId(),
      name: `PJSIP/caller-${channels.nextNumber()}`,
      state: 'Ring',
      end: this.#farEnd(),
      caller: { name: this.from, number: this.from },
      protocolId: `${id}@pbx-sim`,
      extension: script.extension,
      variables: script.variables,
    });
    this.channelId = this.#channel.id;
    this.#channel.onGone.push(() => this.#stopTalking?.());
    this.#cancelGivingUp = this.#later(script.giveUpAfterMs, () => this.hangUp());
    if (script.hangUpAfterMs !== undefined) this.#later(script.hangUpAfterMs, () => this.hangUp());
    // The call is placed first, and then whoever placed it is told what becomes of it.
    this.#later(0, () => parts.dialplan.enter(this.#channel));
  }

  get heardSoFar(): HeardReport {
    return this.#heard.report;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  press(digits: string): void {
    for (const digit of digits) if (!this.#isOver) this.#parts.channels.press(this.#channel, digit, DIGIT_MS);
  }

  hangUp(): void {
    if (this.#isOver) return;
    this.#endedBy = 'caller';
    const how = this.#answeredAt === undefined ? CANCELLED : { cause: NORMAL_CLEARING };
    this.#parts.channels.hangUp(this.#channel, { ...how, by: 'far-end' });
  }

  /** It has come to the fallback. */
  fellBack(status: string): void {
    this.#fallback = status;
  }

  #hear(frame: Uint8Array): void {
    if (this.#answeredAt === undefined) return;
    const now = performance.now() - this.#answeredAt;
    if (!this.#heard.frame(frame, now) || this.#hasHeard) return;
    this.#hasHeard = true;
    this.#firstSound.resolve({ afterMs: now });
  }

  #onClosed(cause: number): void {
    this.#isOver = true;
    const { extension } = this.#script;
    const answeredAt = this.#answeredAt;
    this.#answer.reject(
      new PbxSimError('CF_PBX_SIM_NOT_ANSWERED', `${this.from} was not answered: ${textOfCause(cause)} (${cause})`),
    );
    this.#firstSound.reject(new PbxSimError('CF_PBX_SIM_NOTHING_HEARD', `${this.from} heard nothing`));
    this.#end.resolve({
      id: this.id,
      channelId: this.channelId,
      from: this.from,
      extension,
      answered: answeredAt !== undefined,
      ...(answeredAt !== undefined && { answeredAfterMs: Math.round(answeredAt - this.#startedAt) }),
      endedAfterMs: Math.round(performance.now() - this.#startedAt),
      endedBy: cause === 0 ? 'lost' : this.#endedBy,
      cause,
      causeText: textOfCause(cause),
      ...(this.#fallback !== undefined && { fallback: this.#fallback }),
      heard: this.#heard.report,
    });
  }

  /** What its channel tells it. */
  #farEnd(): ChannelEnd {
    return {
      hear: (frame) => this.#hear(frame),
      answered: () => this.#onAnswered(),
      sound: (mediaUri) => {
        if (mediaUri !== undefined) this.#heard.sound(mediaUri);
      },
      closed: (cause) => this.#onClosed(cause),
    };
  }

  #onAnswered(): void {
    this.#cancelGivingUp?.();
    this.#answeredAt = performance.now();
    this.#answer.resolve({ afterMs: this.#answeredAt - this.#startedAt });
    const { holdMs, digits } = this.#script;
    if (holdMs !== undefined) this.#later(holdMs, () => this.hangUp());
    for (const { afterMs, digit } of digits) this.#later(afterMs, () => this.press(digit));
    this.#stopTalking = this.#parts.pacing.add(() => this.#channel.speak(this.#voice.next()));
  }

  /** Unless the call is over by then. */
  #later(ms: number, act: () => void): () => void {
    const cancel = this.#parts.clock.after(ms, act);
    this.#channel.onGone.push(cancel);
    return cancel;
  }
}

/** Without what is undefined. */
function defined(talk: z.output<typeof callScript>['talk']) {
  return Object.fromEntries(Object.entries(talk ?? {}).filter(([, value]) => value !== undefined));
}
