import type { Config } from '@callfleet/config';
import type { RelayError } from './errors.ts';
import { watchEventLoop } from './event-loop-delay.ts';
import type { LocalRelayOptions } from './local-relay.ts';
import { type Pacing, worstOf } from './pacing-watch.ts';
import { SupervisedThread } from './supervised-thread.ts';
import { shareOf } from './thread-share.ts';
import { ThreadedRelay } from './threaded-relay.ts';

const LOOK_EVERY_MS = 1000;

export interface RelayThreadsOptions extends LocalRelayOptions {
  readonly logging: Pick<Config['telemetry'], 'level' | 'format'>;
  /** One of the threads is lost, and its calls are silent: the process must end, soon. */
  readonly onLost: (error: RelayError) => void;
}

/** Starts `relay.threads` threads, and the relay that spreads its sessions over them. @throws what a thread could not be started for */
export async function startRelayThreads(
  options: RelayThreadsOptions,
): Promise<{ relay: ThreadedRelay; pacing: () => Pacing; close(): Promise<void> }> {
  const { settings, logging, log, onLost, pbxs } = options;
  const threads = Array.from({ length: settings.threads }, (_, n) => {
    const start = { relay: options.relay, thread: n + 1, settings: shareOf(settings, n), logging };
    return new SupervisedThread({
      start,
      urlOf: (pbx) => pbxs.urlOf(pbx),
      onEvent: (session, event) => relay.tell(session, event),
      onChange: () => options.onChange(),
      onLost,
      log,
    });
  });
  const relay = new ThreadedRelay({ ...settings, ...options, threads });
  const close = async () => {
    clearInterval(looking);
    await Promise.all(threads.map((thread) => thread.close()));
  };
  const takeDelayMs = watchEventLoop();
  const looking = setInterval(() => {
    relay.measure(takeDelayMs());
    for (const thread of threads) thread.look();
  }, LOOK_EVERY_MS);
  try {
    await Promise.all(threads.map(({ ready }) => ready));
    return { relay, pacing: () => worstOf(threads.map((thread) => thread.pacing)), close };
  } catch (error) {
    await close();
    throw error;
  }
}
