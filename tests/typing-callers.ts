import { setTimeout as wait } from 'node:timers/promises';
import type { SipCall } from '@callfleet/testkit';
import { expect } from 'vitest';
import type { TestFleet } from './test-fleet.ts';

export interface TypingCaller {
  readonly call: SipCall;
  /** Its number. */
  readonly from: string;
}

const EVERY_MS = 250;
/** So long the last digit takes to its program, when nothing dies. */
const ARRIVED_MS = 1000;
/** So long after "#" each program has hung up. */
const OVER_MS = 20_000;

/** Callers of a program that counts digits: all press 0 to 9 again and again, so that some are under way at every moment. */
export class TypingCallers {
  readonly #callers: readonly TypingCaller[];
  #timer: NodeJS.Timeout | undefined;
  #pressed = 0;

  constructor(callers: readonly TypingCaller[]) {
    this.#callers = callers;
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (const { call } of this.#callers) call.sendDtmf(String(this.#pressed % 10));
      this.#pressed += 1;
    }, EVERY_MS);
  }

  /** Resolves when what was pressed has arrived. */
  async pause(): Promise<void> {
    clearInterval(this.#timer);
    await wait(ARRIVED_MS);
  }

  /** All press "#". Fails unless each program was told of every digit, once and in order, and had its call to the end. */
  async expectAllTold(system: TestFleet, record: object = {}): Promise<void> {
    await this.pause();
    for (const { call } of this.#callers) call.sendDtmf('#');
    const inTime = AbortSignal.timeout(OVER_MS);
    for (const { call, from } of this.#callers) {
      // Whose program failed is with the fallback, which does not hang up.
      inTime.addEventListener('abort', () => void call.hangUp(), { once: true });
      const { hungUpBy } = await call.finished;
      const written = await system.recordOf(from);
      expect(written, written.error?.message).not.toHaveProperty('error');
      expect(written).toMatchObject({ endedBy: 'program', digits: this.#pressed + 1, ...record });
      expect(hungUpBy, from).toBe('callee');
    }
  }
}
