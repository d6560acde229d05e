import type { SimulatedChannel } from './simulated-channel.ts';
import type { SimulatedWorld } from './simulated-world.ts';

interface SimulatedRecording {
  readonly name: string;
  readonly snoop: string;
  /** Whose voice it waits for. */
  readonly party: SimulatedChannel;
  /** 0 for none. */
  readonly maxDurationMs: number;
  readonly maxSilenceMs: number;
  recordedMs: number;
  /** Since when it runs; undefined while it is paused. */
  since: number | undefined;
  cancel: () => void;
}

/** What is recorded on the simulated PBX. */
export class SimulatedRecordings {
  readonly #world: SimulatedWorld;
  readonly #live = new Map<string, SimulatedRecording>();

  constructor(world: SimulatedWorld) {
    this.#world = world;
  }

  has(name: string): boolean {
    return this.#live.has(name);
  }

  start(options: Pick<SimulatedRecording, 'name' | 'snoop' | 'party' | 'maxDurationMs' | 'maxSilenceMs'>): void {
    const recording = { ...options, recordedMs: 0, since: this.#world.clock.now(), cancel: () => {} };
    this.#live.set(recording.name, recording);
    this.#world.tell('RecordingStarted', { recording: { name: recording.name, state: 'recording' } });
    this.#watch(recording, this.#world.clock.now());
  }

  /** @returns whether there was such a recording */
  pause(name: string): boolean {
    const recording = this.#live.get(name);
    if (!recording) return false;
    recording.recordedMs = this.#recordedMs(recording);
    recording.since = undefined;
    recording.cancel();
    return true;
  }

  /** @returns whether there was such a recording */
  resume(name: string): boolean {
    const recording = this.#live.get(name);
    if (!recording) return false;
    recording.since ??= this.#world.clock.now();
    this.#watch(recording, this.#world.clock.now());
    return true;
  }

  /** @returns whether there was such a recording */
  stop(name: string): boolean {
    const recording = this.#live.get(name);
    if (!recording) return false;
    recording.cancel();
    this.#live.delete(name);
    const duration = Math.round(this.#recordedMs(recording) / 1000);
    this.#world.tell('RecordingFinished', { recording: { name, state: 'done', duration } });
    return true;
  }

  /** The channel that is recorded is gone. */
  stopOf(channelId: string): void {
    for (const { name, snoop } of [...this.#live.values()]) if (snoop === channelId) this.stop(name);
  }

  /** Waits until one of its limits may be reached, and looks again. */
  #watch(recording: SimulatedRecording, heardSince: number): void {
    const { clock } = this.#world;
    const { maxDurationMs, maxSilenceMs, party } = recording;
    recording.cancel();
    const untilFull = maxDurationMs > 0 ? maxDurationMs - this.#recordedMs(recording) : Number.POSITIVE_INFINITY;
    const quietSince = Math.max(heardSince, party.spokeUntil);
    const untilSilence = maxSilenceMs > 0 ? quietSince + maxSilenceMs - clock.now() : Number.POSITIVE_INFINITY;
    const wait = Math.min(untilFull, untilSilence);
    if (wait === Number.POSITIVE_INFINITY) return;
    if (wait <= 0) this.stop(recording.name);
    else recording.cancel = clock.after(wait, () => this.#watch(recording, heardSince));
  }

  #recordedMs({ recordedMs, since }: SimulatedRecording): number {
    return recordedMs + (since === undefined ? 0 : this.#world.clock.now() - since);
  }
}
