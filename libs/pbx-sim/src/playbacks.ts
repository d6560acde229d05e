import { Refusal } from './answer.ts';
import type { Applications, EventSource } from './applications.ts';
import type { ControlQueue } from './control-queue.ts';
import type { PbxClock } from './pbx-clock.ts';
import { lengthOf, type SoundsOptions } from './sounds.ts';

/** What is played to, a channel or a bridge. */
export interface PlayTarget {
  readonly source: EventSource;
  readonly control: ControlQueue;
  /** Told what its far end, or each member's, gets to hear; undefined: it is over. */
  readonly sound: (mediaUri: string | undefined) => void;
}

export interface PlaybacksOptions {
  readonly clock: PbxClock;
  readonly applications: Applications;
  readonly sounds: SoundsOptions;
}

/** What is played, timed by how long the sounds are. */
export class Playbacks {
  readonly #options: PlaybacksOptions;
  readonly #byId = new Map<string, Playback>();

  constructor(options: PlaybacksOptions) {
    this.#options = options;
  }

  /** @throws Refusal 404 */
  get(id: string): Playback {
    const playback = this.#byId.get(id);
    if (!playback) throw new Refusal(404, 'Playback not found');
    return playback;
  }

  play(id: string, media: readonly string[], target: PlayTarget): Playback {
    const playback = new Playback(id, media, target, this.#options, () => {
      if (this.#byId.get(id) === playback) this.#byId.delete(id);
    });
    this.#byId.set(id, playback);
    target.control.occupy(playback);
    return playback;
  }
}

class Playback {
  readonly #id: string;
  readonly #media: readonly string[];
  readonly #target: PlayTarget;
  readonly #options: PlaybacksOptions;
  readonly #onOver: () => void;
  #at = 0;
  #state: 'queued' | 'playing' | 'continuing' | 'done' | 'failed' = 'queued';
  #cancelTimer: (() => void) | undefined;
  #done: (() => void) | undefined;

  constructor(id: string, media: readonly string[], target: PlayTarget, options: PlaybacksOptions, onOver: () => void) {
    this.#id = id;
    this.#media = media;
    this.#target = target;
    this.#options = options;
    this.#onOver = onOver;
  }

  start(done: () => void): void {
    this.#done = done;
    this.#playNext();
  }

  /** What it is played to is gone: before it began, nobody is told. */
  abandon(): void {
    const hasBegun = this.#state !== 'queued';
    this.#done = undefined;
    this.#end('failed', hasBegun);
  }

  /** @throws Refusal 404 of one that waits for its turn: Asterisk knows it, and can't stop it */
  stop(): void {
    if (this.#state === 'queued') throw new Refusal(404, 'Playback not found');
    this.#end('done', true);
  }

  toJSON() {
    const next = this.#media[this.#at + 1];
    return {
      id: this.#id,
      media_uri: this.#media[this.#at],
      ...(next !== undefined && { next_media_uri: next }),
      target_uri: this.#target.source,
      language: 'en',
      state: this.#state,
    };
  }

  #playNext(): void {
    const uri = this.#media[this.#at] as string;
    const length = lengthOf(uri, this.#options.sounds);
    this.#state = 'playing';
    this.#tell('PlaybackStarted');
    if (length === undefined) {
      this.#end('failed', true);
      return;
    }
    this.#target.sound(uri);
    if (Number.isFinite(length)) this.#cancelTimer = this.#options.clock.after(length, () => this.#played());
  }

  #played(): void {
    this.#target.sound(undefined);
    if (this.#at + 1 === this.#media.length) {
      this.#end('done', true);
      return;
    }
    this.#state = 'continuing';
    this.#tell('PlaybackContinuing');
    this.#at += 1;
    this.#playNext();
  }

  #end(state: 'done' | 'failed', isTold: boolean): void {
    if (this.#state === 'done' || this.#state === 'failed') return;
    this.#cancelTimer?.();
    this.#state = state;
    this.#target.sound(undefined);
    this.#onOver();
    if (isTold) this.#tell('PlaybackFinished');
    this.#done?.();
  }

  #tell(type: string): void {
    this.#options.applications.tell(type, { playback: this }, this.#target.source);
  }
}
