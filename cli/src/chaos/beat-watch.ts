import { type Bus, commandSchema, decodeMessage } from '@callfleet/bus';

/** One command of a call's program, as it passed on the bus. */
interface Beat {
  readonly at: number;
  readonly epoch: number;
}

/** Listens in on the commands of all calls, and knows how long each was without. */
export class BeatWatch {
  readonly #beats = new Map<string, Beat[]>();

  constructor(bus: Bus) {
    bus.nc.subscribe('cf.cmd.>', {
      callback: (_error, message) => {
        const command = decodeMessage(commandSchema, message.data);
        if (command.kind !== 'ari') return;
        const beats = this.#beats.get(command.call) ?? [];
        this.#beats.set(command.call, beats);
        beats.push({ at: performance.now(), epoch: command.epoch });
      },
    });
  }

  /** For each call whose owner changed after `since`: milliseconds from then to its new owner's first command. */
  takeovers(since: number): Map<string, number> {
    const result = new Map<string, number>();
    for (const [call, beats] of this.#beats) {
      const before = beats.findLast((beat) => beat.at < since)?.epoch ?? 0;
      const next = beats.find((beat) => beat.at >= since && beat.epoch > before);
      if (next) result.set(call, next.at - since);
    }
    return result;
  }

  /**
   * For each call whose owner changed after `since`: by how many milliseconds its new owner's first command came later than the
   * program, which sends one every `periodMs`, wanted it.
   */
  lateness(since: number, periodMs: number): Map<string, number> {
    const result = new Map<string, number>();
    for (const [call, takenMs] of this.takeovers(since)) {
      const last = this.#beats.get(call)?.findLast((beat) => beat.at < since)?.at ?? since;
      const dueMs = Math.max(0, last + periodMs - since);
      result.set(call, Math.max(0, takenMs - dueMs));
    }
    return result;
  }

  /** Calls that sent a command since then. */
  beatingSince(since: number): Set<string> {
    return new Set([...this.#beats].filter(([, beats]) => (beats.at(-1)?.at ?? 0) >= since).map(([call]) => call));
  }
}
