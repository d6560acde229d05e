import type { TimeSource } from '@callfleet/media';
import type { Stretch } from './caller-voice.ts';
import type { VoiceEvent } from './provider.ts';

type TurnEvent = Extract<VoiceEvent, { type: 'turn' }>;

/** Somebody has begun to say something; what it was is known later. */
export interface OpenTurn {
  /** @param text nothing: there was no turn */
  end(text: string, when: Stretch): void;
}

/** What the caller said is written down by another AI, which may take so long, milliseconds. Then the others are told without it. */
const TRANSCRIPT_LIMIT_MS = 5000;

/** More than any conversation has under way. */
const MAX_WAITING = 50;

interface Entry {
  readonly role: TurnEvent['role'];
  /** Undefined: nobody knows yet. */
  ended: ({ readonly text: string } & Stretch) | undefined;
}

/** Tells turns in the order in which they began, though what was said becomes known in any order. */
export class Turns {
  readonly #time: TimeSource;
  readonly #tell: (event: TurnEvent) => void;
  #waiting: Entry[] = [];
  #cancelTimer: (() => void) | undefined;

  constructor(time: TimeSource, tell: (event: TurnEvent) => void) {
    this.#time = time;
    this.#tell = tell;
  }

  begin(role: TurnEvent['role']): OpenTurn {
    const entry: Entry = { role, ended: undefined };
    this.#waiting.push(entry);
    if (this.#waiting.length > MAX_WAITING) this.#passOver();
    return {
      end: (text, { startMs, endMs }) => {
        entry.ended ??= { text: text.trim(), startMs, endMs };
        this.#tellFirst();
      },
    };
  }

  close(): void {
    this.#cancelTimer?.();
    this.#waiting = [];
  }

  #tellFirst(): void {
    for (let first = this.#waiting[0]; first?.ended; first = this.#waiting[0]) {
      this.#waiting.shift();
      const { role, ended } = first;
      if (ended.text && ended.endMs > ended.startMs) this.#tell({ type: 'turn', role, ...ended });
    }
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    // A bot's turn ends with its audio, however long that is.
    if (this.#waiting[0]?.role === 'caller' && this.#waiting.some(({ ended }) => ended))
      this.#cancelTimer = this.#time.after(TRANSCRIPT_LIMIT_MS, () => this.#passOver());
  }

  #passOver(): void {
    this.#waiting.shift();
    this.#tellFirst();
  }
}
