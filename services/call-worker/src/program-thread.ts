import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import type { ProgramVersion } from '@callfleet/bus';
import { CallRuntime, journaledError, resolveSdkForPrograms } from '@callfleet/calls/runtime';
import { loadPrograms } from './program-loader.ts';
import { isSame, NO_PROGRAM } from './program-routes.ts';
import { RemoteHost } from './remote-host.ts';
import { type FromThread, OUT_OF_MEMORY, type ThreadStart, type ToThread } from './thread-protocol.ts';
import { BEAT_EVERY_MS, ThreadPulse } from './thread-pulse.ts';

/* The inside of a program thread: runs the programs of its calls, and asks the main thread for all else. */

const { programs, pulse: buffer, memoryMb } = workerData as ThreadStart;
const MIB = 2 ** 20;
const pulse = new ThreadPulse(buffer);
const runs = new Map<number, { runtime: CallRuntime; host: RemoteHost }>();
/** Whose code is running, and as part of which operation. */
const current = new AsyncLocalStorage<{ run: number; operation?: number }>();

const post = (message: FromThread) => parentPort?.postMessage(message);

/** Everything that happens here for a run: should the thread stand still, the main thread knows who had it. */
function handTo(run: number, action: () => void): void {
  pulse.handTo(run);
  current.run({ run }, action);
}

// The same for what a program waits for by itself in a `step`: timers, sockets, files.
createHook({
  trackPromises: false,
  before() {
    const at = current.getStore();
    if (at) pulse.handTo(at.run);
  },
}).enable();

process.on('unhandledRejection', (reason) => {
  const at = current.getStore();
  const message = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  post({ kind: 'stray', ...(at && { run: at.run }), message });
});

async function start(): Promise<void> {
  resolveSdkForPrograms();
  const routes = [...(await loadPrograms(programs)), NO_PROGRAM];
  const programOf = (wanted: ProgramVersion) => {
    const route = routes.find((other) => isSame(other, wanted));
    if (!route) throw new Error(`no program "${wanted.name}" is loaded in version ${wanted.version}`);
    return route.program;
  };

  async function run(spec: Extract<ToThread, { kind: 'run' }>): Promise<void> {
    const { run } = spec;
    try {
      const host = new RemoteHost({
        run,
        post,
        inOperation: (operation, work) => current.run({ run, operation }, work),
        operation: () => current.getStore()?.operation,
      });
      const runtime = new CallRuntime(spec.context, host.callHost(spec));
      runs.set(run, { runtime, host });
      for (const event of spec.events) runtime.deliver(event);
      post({ kind: 'over', run, outcome: await runtime.run(programOf(spec.program)) });
    } catch (error) {
      post({ kind: 'over', run, error: journaledError(error) });
    } finally {
      runs.delete(run);
    }
  }

  parentPort?.on('message', (message: ToThread) =>
    handTo(message.run, () => {
      const running = runs.get(message.run);
      switch (message.kind) {
        case 'run':
          void run(message);
          break;
        case 'event':
          running?.runtime.deliver(message.event);
          break;
        case 'abandon':
          running?.runtime.abandon(message.why);
          break;
        case 'reply':
          running?.host.settle(message);
          break;
      }
    }),
  );
  let beatenAt = performance.now();
  setInterval(() => {
    const now = performance.now();
    pulse.beat(now - beatenAt - BEAT_EVERY_MS);
    beatenAt = now;
    if (getHeapStatistics().used_heap_size > memoryMb * MIB) process.exit(OUT_OF_MEMORY);
  }, BEAT_EVERY_MS);
  post({ kind: 'ready' });
}

start().catch((error: Error) => post({ kind: 'unusable', message: error.message }));
