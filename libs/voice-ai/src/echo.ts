import { FRAME_MS } from '@callfleet/media';
import type { VoiceProvider } from './provider.ts';
import { parseOptions } from './provider-options.ts';

/**
 * What the caller says comes as fast as it is played, so a delay once made by a stall would stay for the rest of the call.
 * Each half second, what waited all the time is dropped.
 */
const FRAMES_WATCHED = 25;

/** Gives the caller each frame back at once: to hear that a call works, and to measure what the relay adds. No options. */
export function echo(options: unknown): VoiceProvider {
  parseOptions('echo', {}, options);
  return {
    name: 'echo',
    open: async ({ playout, signal }) => {
      signal.throwIfAborted();
      let open = true;
      let frames = 0;
      let leastQueuedMs = Number.POSITIVE_INFINITY;
      return {
        hear(frame) {
          if (!open) return;
          leastQueuedMs = Math.min(leastQueuedMs, playout.queuedMs);
          frames += 1;
          if (frames === FRAMES_WATCHED) {
            if (leastQueuedMs >= FRAME_MS) playout.flush();
            frames = 0;
            leastQueuedMs = Number.POSITIVE_INFINITY;
          }
          playout.play(frame);
        },
        digit() {},
        toolResult() {},
        close: async () => {
          open = false;
        },
      };
    },
  };
}
