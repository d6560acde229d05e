import { monotonicMs } from './fake-traffic.ts';

/** A caller speaks so long, and listens so long, again and again. */
export interface TurnsPace {
  readonly speakMs: number;
  readonly listenMs: number;
}

/** When things happened in one call, at its caller's wire; {@link monotonicMs}. */
export interface HeardTurns {
  /** The bot's first audio after silence. */
  readonly botStarted: readonly number[];
  /** The caller began to speak while the bot did: his first packet, and the bot's last one. */
  readonly cuts: ReadonlyArray<{ readonly saidAt: number; readonly botLastAt: number }>;
  /** The bot went on speaking until the caller stopped. */
  readonly notCut: number;
}

/** Without audio for so long, the bot is silent. Milliseconds. */
const PAUSE_MS = 100;

/** Samples of a frame that are looked at: more than a period of a bot's tone. */
const LOOKED_AT = 24;

/** From the sixteenth part of full scale on. */
const LOUD_SEGMENT = 4;

/** What a caller who speaks in turns hears of a bot that he interrupts. µ-law. */
export class CallerTurns {
  readonly #pace: TurnsPace;
  readonly #startAt: number;
  #speaking = false;
  #saidAt: number | undefined;
  #botAt = Number.NEGATIVE_INFINITY;
  #botStarted: number[] = [];
  #cuts: Array<{ saidAt: number; botLastAt: number }> = [];
  #notCut = 0;

  /** @param share 0..1 of a turn that this one is ahead: not all speak at once */
  constructor(pace: TurnsPace, share: number) {
    this.#pace = pace;
    this.#startAt = monotonicMs() - share * (pace.speakMs + pace.listenMs);
  }

  /** To be asked before each frame is sent. @returns whether the caller speaks */
  speaks(): boolean {
    const { speakMs, listenMs } = this.#pace;
    const now = monotonicMs();
    const speaking = (now - this.#startAt) % (speakMs + listenMs) < speakMs;
    if (speaking && !this.#speaking) this.#saidAt = now - this.#botAt < PAUSE_MS ? now : undefined;
    else if (!speaking && this.#speaking && this.#saidAt !== undefined) {
      if (now - this.#botAt < PAUSE_MS) this.#notCut += 1;
      else this.#cuts.push({ saidAt: this.#saidAt, botLastAt: Math.max(this.#saidAt, this.#botAt) });
    }
    this.#speaking = speaking;
    return speaking;
  }

  hear(frame: Uint8Array): void {
    if (!isLoud(frame)) return;
    const now = monotonicMs();
    if (now - this.#botAt >= PAUSE_MS) this.#botStarted.push(now);
    this.#botAt = now;
  }

  /** Since it was asked last. */
  take(): HeardTurns {
    const taken = { botStarted: this.#botStarted, cuts: this.#cuts, notCut: this.#notCut };
    this.#botStarted = [];
    this.#cuts = [];
    this.#notCut = 0;
    return taken;
  }
}

function isLoud(frame: Uint8Array): boolean {
  for (let i = 0; i < LOOKED_AT; i += 1) if (((~(frame[i] as number) >> 4) & 7) >= LOUD_SEGMENT) return true;
  return false;
}
