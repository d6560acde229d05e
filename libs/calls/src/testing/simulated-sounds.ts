import type { SimulatedWorld } from './simulated-world.ts';

interface Playback {
  readonly id: string;
  /** The channel or bridge that hears it. */
  readonly target: string;
  readonly durationMs: number;
  readonly isMissing: boolean;
  cancel: () => void;
}

const SOUND_MS = 1000;

/** What is played on the simulated PBX: on one channel one sound after the other. */
export class SimulatedSounds {
  readonly #world: SimulatedWorld;
  /** In the order of their requests. */
  #playbacks: Playback[] = [];

  constructor(world: SimulatedWorld) {
    this.#world = world;
  }

  play(id: string, target: string, media: readonly string[]): void {
    const missing = media.findIndex((sound) => this.#world.options.missing?.includes(sound));
    const heard = missing < 0 ? media : media.slice(0, missing);
    const durationMs = heard.reduce((sum, sound) => sum + this.#durationOf(sound), 0);
    const playback = { id, target, durationMs, isMissing: missing >= 0, cancel: () => {} };
    this.#playbacks.push(playback);
    if (this.#playbacks.filter((other) => other.target === target).length === 1) this.#start(playback);
  }

  /** @returns whether there was such a playback */
  stop(id: string): boolean {
    const playback = this.#playbacks.find((other) => other.id === id);
    if (playback) this.#finish(playback, 'done');
    return playback !== undefined;
  }

  /** Whoever heard it is gone: nothing is told of it. */
  forget(target: string): void {
    for (const playback of this.#playbacks) if (playback.target === target) playback.cancel();
    this.#playbacks = this.#playbacks.filter((other) => other.target !== target);
  }

  #start(playback: Playback): void {
    this.#world.tell('PlaybackStarted', { playback: { id: playback.id, state: 'playing' } });
    const state = playback.isMissing ? 'failed' : 'done';
    playback.cancel = this.#world.clock.after(playback.durationMs, () => this.#finish(playback, state));
  }

  #finish(playback: Playback, state: 'done' | 'failed'): void {
    const isPlaying = this.#playbacks.find(({ target }) => target === playback.target) === playback;
    playback.cancel();
    this.#playbacks = this.#playbacks.filter((other) => other !== playback);
    this.#world.tell('PlaybackFinished', { playback: { id: playback.id, state } });
    const next = this.#playbacks.find(({ target }) => target === playback.target);
    if (isPlaying && next) this.#start(next);
  }

  #durationOf(sound: string): number {
    const { sounds } = this.#world.options;
    if (typeof sounds === 'number') return sounds;
    return sounds?.[sound] ?? SOUND_MS;
  }
}
