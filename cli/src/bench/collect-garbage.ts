import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';

/* Loaded into all threads of a process (`node --import`): at SIGUSR2 each of them collects its garbage. */

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

// Only the main thread is told of signals.
const channel = new BroadcastChannel('callfleet-collect-garbage');
if (isMainThread) {
  channel.unref();
  process.on('SIGUSR2', () => {
    channel.postMessage('now');
    collect();
  });
} else {
  channel.onmessage = () => collect();
  channel.unref();
}
