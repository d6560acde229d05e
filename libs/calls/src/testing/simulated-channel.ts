import { doInTurn } from './doings.ts';
import { type SimulatedWorld, SimulationError } from './simulated-world.ts';
import type { PartyDoing } from './simulation-options.ts';

/** Somebody on the phone, in the hands of a test. */
export interface SimulatedParty {
  /** Presses digits, one after the other at once. */
  press(digits: string): void;
  /** Speaks for so long, milliseconds: recordings hear it, and the talk detection where it is on. */
  speak(milliseconds: number): void;
  /** The phone puts us on hold, and takes us back. */
  hold(isOnHold?: boolean): void;
  /** Somebody sends a user event to the channel through ARI. */
  userEvent(name: string, data?: Readonly<Record<string, unknown>>): void;
  hangUp(): void;
  /** Does all of this, one after the other, beside whatever else is going on. */
  does(doings: readonly PartyDoing[]): void;
}

/** Asterisk's Q.850 causes. */
const CAUSES: Readonly<Record<number, string>> = {
  0: '',
  1: 'Unallocated (unassigned) number',
  16: 'Normal Clearing',
  17: 'User busy',
  18: 'No user responding',
  19: 'User alerting, no answer',
  21: 'Call Rejected',
  26: 'Answered elsewhere',
  34: 'Circuit/channel congestion',
};

/** One channel of the simulated PBX. */
export class SimulatedChannel implements SimulatedParty {
  readonly id: string;
  /** `caller`, `PJSIP/agent`, ... */
  readonly label: string;
  readonly variables = new Map<string, string>();
  state: 'Down' | 'Ring' | 'Ringing' | 'Up';
  isOver = false;
  /** Until when somebody speaks on it, simulated time. */
  spokeUntil = Number.NEGATIVE_INFINITY;
  readonly #world: SimulatedWorld;
  readonly #onOver: (channel: SimulatedChannel) => void;

  constructor(
    world: SimulatedWorld,
    options: {
      id: string;
      label: string;
      state: SimulatedChannel['state'];
      /** Before its last events are told. */
      onOver: (channel: SimulatedChannel) => void;
    },
  ) {
    this.#world = world;
    this.#onOver = options.onOver;
    this.id = options.id;
    this.label = options.label;
    this.state = options.state;
  }

  press(digits: string): void {
    this.#mustBeThere('press');
    this.#world.transcript.add(this.label, `presses ${digits}`);
    for (const digit of digits) this.tell('ChannelDtmfReceived', { digit, duration_ms: 100 });
  }

  speak(milliseconds: number): void {
    this.#mustBeThere('speak');
    const { clock, transcript } = this.#world;
    transcript.add(this.label, `speaks for ${milliseconds} ms`);
    this.spokeUntil = Math.max(this.spokeUntil, clock.now() + milliseconds);
    const isDetected = [...this.variables.keys()].some((name) => name.startsWith('TALK_DETECT('));
    if (isDetected) this.tell('ChannelTalkingStarted');
    clock.after(milliseconds, () => {
      if (isDetected && !this.isOver) this.tell('ChannelTalkingFinished', { duration: milliseconds });
    });
  }

  hold(isOnHold = true): void {
    this.#mustBeThere('hold');
    this.#world.transcript.add(this.label, isOnHold ? 'puts us on hold' : 'takes us back from hold');
    this.tell(isOnHold ? 'ChannelHold' : 'ChannelUnhold');
  }

  userEvent(name: string, data: Readonly<Record<string, unknown>> = {}): void {
    this.#mustBeThere('be sent a user event');
    this.#world.transcript.add(this.label, `is sent the user event ${name}`);
    this.tell('ChannelUserevent', { eventname: name, userevent: data });
  }

  hangUp(): void {
    this.#mustBeThere('hang up');
    this.#world.transcript.add(this.label, 'hangs up');
    this.end(16);
  }

  does(doings: readonly PartyDoing[]): void {
    doInTurn(doings, { ...this.#world, isOver: () => this.isOver }, (doing) => {
      if ('press' in doing) this.press(doing.press);
      else if ('speak' in doing) this.speak(doing.speak);
      else if ('hold' in doing) this.hold(doing.hold);
      else this.hangUp();
    });
  }

  /** An event of this channel. */
  tell(type: string, data: Readonly<Record<string, unknown>> = {}): void {
    const { id, state } = this;
    this.#world.tell(type, { channel: { id, name: this.label, state }, ...data });
  }

  moveTo(state: SimulatedChannel['state']): void {
    if (this.isOver || this.state === state) return;
    this.state = state;
    this.tell('ChannelStateChange');
  }

  /** It is hung up, by whichever side. */
  end(cause: number): void {
    if (this.isOver) return;
    const told = { cause, cause_txt: CAUSES[cause] ?? '' };
    this.tell('ChannelHangupRequest', { cause });
    this.leave();
    this.tell('ChannelDestroyed', told);
  }

  /** It is not ours any more: it goes on in the dialplan. */
  leave(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#onOver(this);
    this.tell('StasisEnd');
  }

  #mustBeThere(what: string): void {
    if (this.isOver)
      throw new SimulationError(`${this.label} can't ${what}: ${this.label} has hung up, or was hung up`);
  }
}
