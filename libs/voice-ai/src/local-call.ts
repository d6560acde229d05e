import { setTimeout as sleep } from 'node:timers/promises';
import { SimulatedCall } from './simulated-call.ts';

/**
 * A call in simulated time whose AI is behind a socket of this machine: after each frame there is time for it to hear and to be
 * heard. So seconds of a call take tenths, and limits can be waited for at once.
 */
export class LocalCall extends SimulatedCall {
  override async say(ms: number, level: number | 'voice' | undefined): Promise<void> {
    for (const frame of this.frames(ms, level)) {
      this.step(frame);
      await sleep(1);
    }
  }
}
