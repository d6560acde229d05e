import { parentPort, workerData } from 'node:worker_threads';
import { createLogger } from '@callfleet/telemetry/thread';
import { startLocalRelay } from './local-relay.ts';
import type { FromThread, ThreadStart, ToThread } from './thread-protocol.ts';

/* The inside of one of a relay's threads: a relay of its own, which the main thread asks instead of NATS. */

const BEAT_EVERY_MS = 1000;

const { relay: name, thread, settings, logging } = workerData as ThreadStart;
/** As the main thread told with each session. */
const urls = new Map<string, string>();

const post = (message: FromThread) => parentPort?.postMessage(message);
const beat = () => post({ kind: 'beat', isLate: relay.isLate, pacing: pacing() });

const { relay, pacing } = await startLocalRelay({
  relay: name,
  settings,
  log: createLogger('media-relay', name, logging).child({ thread }),
  // PBXs that connect to a relay find one that has no threads.
  pbxs: { urlOf: (pbx) => urls.get(pbx), accountOf: () => undefined },
  events: (_call, session) => (event) => post({ kind: 'event', session, event }),
  onChange: beat,
});

parentPort?.on('message', async (message: ToThread) => {
  if (message.kind === 'stop') {
    await relay.stop();
    post({ kind: 'stopped' });
    return;
  }
  const { ask, request, pbxUrl } = message;
  if (request.op === 'open' && pbxUrl !== undefined) urls.set(request.pbx, pbxUrl);
  post({ kind: 'reply', ask, reply: await relay.handle(request) });
});
setInterval(beat, BEAT_EVERY_MS);
post({ kind: 'ready' });
