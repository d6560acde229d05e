import type { SimulatedClock } from './simulated-clock.ts';
import type { SimulationOptions } from './simulation-options.ts';
import type { Transcript } from './transcript.ts';

/** What everything that is simulated shares. */
export interface SimulatedWorld {
  readonly clock: SimulatedClock;
  readonly transcript: Transcript;
  readonly options: SimulationOptions;
  /** Tells the call an event: `StasisEnd`, `media.turn`. */
  readonly tell: (type: string, data: Record<string, unknown>) => void;
}

/** A simulation was asked for what it can't do, or what was waited for never came. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
  readonly code = 'CF_SIMULATION';
}

/** Whom the program talks to, in the transcript: whom we call is the callee where the simulation begins before the answer. */
export function farEnd({ direction, callee }: SimulationOptions): 'caller' | 'callee' {
  return direction === 'outbound' && callee !== undefined ? 'callee' : 'caller';
}
