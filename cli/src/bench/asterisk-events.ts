import { AriSocket, events } from '@callfleet/ari';
import { installParts } from '@callfleet/testkit';
import { untilServed } from './gateway-events.ts';
import { startGatewayUnderTest } from './gateway-under-test.ts';
import { placeLiveCalls, startBenchAsterisk } from './live-calls.ts';
import { watchCpu } from './process-cpu.ts';
import { StoredEvents } from './stored-events.ts';

const PBX = 'pbx-real';
const SHARD = 'callfleet-1';
const CALLS = 20;
/** More sockets, or more requests under way, made no more events. */
const SOCKETS = 4;
const AT_ONCE = 32;
const MS = 10_000;
/** Makes an event 600 bytes long. */
const PADDING = 'x'.repeat(80);

/** What one real Asterisk could send, and what became of it. */
export interface AsteriskEvents {
  readonly events: number;
  readonly perSecond: number;
  readonly lost: number;
  readonly coreSeconds: { readonly gateway: number; readonly nats: number; readonly pbx: number };
}

/** User events on live calls, as many as a real Asterisk makes, through one gateway process into JetStream. */
export async function measureAsteriskEvents(): Promise<AsteriskEvents> {
  await installParts((step) => console.log(`callfleet: ${step}`));
  const pbx = await startBenchAsterisk(PBX, [SHARD]);
  const owned: Array<() => Promise<unknown>> = [() => pbx.stop()];
  try {
    const system = await startGatewayUnderTest([pbx], [SHARD]);
    owned.push(system.stop);
    await untilServed(system.bus, PBX, [SHARD]);
    const ids = await placeLiveCalls(pbx, CALLS);
    const { httpUrl: url, username, password } = pbx;
    const sockets = await Promise.all(
      Array.from({ length: SOCKETS }, (_, n) =>
        AriSocket.connect({ url, username, password, apps: [`bench-${n}`], onEvent: () => {} }),
      ),
    );
    owned.push(() => Promise.all(sockets.map((socket) => socket.close())));
    const stored = await StoredEvents.follow(system.bus);
    let sent = 0;
    const used = watchCpu({ ...system.pids, pbx: pbx.pid });
    const from = performance.now();
    const send = async (socket: AriSocket) => {
      while (performance.now() - from < MS) {
        const source = `channel:${ids[sent % ids.length]}`;
        sent += 1;
        const variables = { number: String(sent), padding: PADDING };
        await socket.request(events.userEvent({ eventName: 'load', application: SHARD, source, variables }));
      }
    };
    await Promise.all(sockets.flatMap((socket) => Array.from({ length: AT_ONCE }, () => send(socket))));
    const perSecond = sent / ((performance.now() - from) / 1000);
    const arrived = await stored.until(sent);
    await stored.stop();
    return { events: sent, perSecond, lost: sent - arrived, coreSeconds: used() };
  } finally {
    for (const release of owned.reverse()) await release();
  }
}
