import { expect } from 'vitest';
import type { LocalCall } from './local-call.ts';
import type { VoiceEvent } from './provider.ts';

/** One connection of a local AI, as these tests need it. */
interface LocalConnection {
  readonly received: ReadonlyArray<Readonly<Record<string, unknown>>>;
  readonly closed: unknown;
  drop(code?: number, reason?: string): void;
  freeze(): void;
}

/** A local AI, as these tests need it. */
export interface LocalAi<Connection extends LocalConnection = LocalConnection> {
  readonly key: string;
  readonly url: string;
  readonly faults: {
    refuse?: number;
    hang?: boolean;
    mute?: boolean;
    stall?: boolean;
    latePieces?: number;
    format?: unknown;
  };
  /** What it says next. */
  readonly answers: Array<{
    text?: string;
    ms?: number;
    tool?: { name: string; arguments: Record<string, unknown> };
    unfinished?: boolean;
    fails?: string;
  }>;
  readonly connections: readonly Connection[];
  readonly last: Connection;
  /** Nothing goes wrong any more. */
  reset(): void;
  stop(): Promise<void>;
}

/** The caller speaks, and the answer begins to be played. */
export async function askAndBeAnswered(call: LocalCall, how: number | 'voice' = 0.3): Promise<void> {
  await call.say(800, how);
  await call.say(300, 0);
  while (call.queuedMs === 0 && call.now < 10_000) await call.say(20, 0);
  expect(call.queuedMs).toBeGreaterThan(0);
}

export function countOf(call: LocalCall, type: VoiceEvent['type']): number {
  return call.events.filter((event) => event.type === type).length;
}

/** The event of this type, which must be there. */
export function oneOf<Type extends VoiceEvent['type']>(call: LocalCall, type: Type) {
  const event = call.events.find((one) => one.type === type);
  if (!event) throw new Error(`no ${type} among ${call.events.map((one) => one.type).join(', ') || 'no events'}`);
  return event as Extract<VoiceEvent, { type: Type }>;
}
