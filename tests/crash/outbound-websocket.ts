import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { AriHttp, channels, events, readFeatures } from '@callfleet/ari';
import { type Asterisk, startAsterisk } from '@callfleet/testkit';

/**
 * How often Asterisk dies with the peer of its outbound ARI WebSocket. By hand, since it takes minutes and crashes things:
 *
 *     node tests/crash/outbound-websocket.ts [--times 5] [--rate 500] [--gap 1000] [--ways kill,rst,fin,stop,clean]
 */
const WAYS = {
  kill: 'the peer gets SIGKILL',
  rst: 'the peer resets the connection',
  fin: 'the peer ends the connection without a close frame',
  stop: 'the peer stands still (SIGSTOP) for 5 s, then gets SIGKILL',
  clean: 'the peer closes with a close frame (1001)',
} as const;
type Way = keyof typeof WAYS;

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '5' },
    rate: { type: 'string', default: '500' },
    gap: { type: 'string', default: '1000' },
    ways: { type: 'string', default: Object.keys(WAYS).join(',') },
  },
});
const times = Number(values.times);
/** Events per second of our own, as many of calls, and as many commands over the socket; 0: none. */
const rate = Number(values.rate);
/** Nobody is there for Asterisk to dial, milliseconds. */
const gapMs = Number(values.gap);
const ways = values.ways.split(',').filter((way): way is Way => way in WAYS);

const APP = 'crash';
/** Each attempt has an Asterisk that has just begun; it dials a moment later. */
const RESTED_MS = 700;
const FLOWS_MS = 1000;
/** About. */
const EVENTS_OF_A_CALL = 15;
const STANDS_STILL_MS = 5000;
/** A crash shows when Asterisk next writes, dials again, or frees what is left. */
const SEEN_WITHIN_MS = 4000;

interface Peer {
  readonly port: number;
  readonly dialled: Promise<void>;
  die(way: Way): Promise<void>;
}

async function startPeer(port: number): Promise<Peer> {
  const file = new URL('dying-peer.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [file, String(port), String(rate)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const listens = Promise.withResolvers<number>();
  const dialled = Promise.withResolvers<void>();
  createInterface(child.stdout).on('line', (line) => {
    if (line.startsWith('listens ')) listens.resolve(Number(line.slice('listens '.length)));
    if (line === 'dialled') dialled.resolve();
  });
  return {
    port: await listens.promise,
    dialled: dialled.promise,
    async die(way) {
      if (way === 'stop') {
        child.kill('SIGSTOP');
        await wait(STANDS_STILL_MS);
      }
      if (way === 'kill' || way === 'stop') child.kill('SIGKILL');
      else child.stdin.write(`${way}\n`);
      const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
      await gone;
      clearTimeout(timer);
    },
  };
}

function dialling(port: number) {
  return startAsterisk({
    files: {
      'ari.conf': `[general]
enabled = yes
[callfleet]
type = user
read_only = no
password = callfleet
password_format = plain
[out]
type = outbound_websocket
websocket_client_id = out
apps = ${APP}
local_ari_user = callfleet
`,
      'extensions.conf': `[call]
exten => 1,1,Answer()
 same => n,Wait(0.3)
 same => n,Hangup()
`,
      'websocket_client.conf': `[out]
type = websocket_client
connection_type = persistent
uri = ws://127.0.0.1:${port}/
protocols = ari
username = pbx
password = secret
reconnect_interval = 200
`,
    },
  });
}

/** Events of our own, and of calls that come, are answered and end, until it is stopped. */
function flow(ari: AriHttp): () => void {
  const everyMs = 10;
  let due = 0;
  let callsDue = 0;
  const timer = setInterval(() => {
    due += (rate * everyMs) / 1000;
    for (; due >= 1; due -= 1) void ari.request(events.userEvent({ eventName: 'x', application: APP })).catch(() => {});
    callsDue += (rate * everyMs) / 1000 / EVENTS_OF_A_CALL;
    for (; callsDue >= 1; callsDue -= 1)
      void ari.request(channels.originate({ endpoint: 'Local/1@call', app: APP })).catch(() => {});
  }, everyMs);
  return () => clearInterval(timer);
}

/** @returns how Asterisk ended, if it did */
async function attempt(pbx: Asterisk, way: Way, peer: Peer): Promise<{ death?: string; next: Peer }> {
  const ari = new AriHttp({ url: pbx.httpUrl, username: pbx.username, password: pbx.password });
  let death: string | undefined;
  const died = pbx.exited.then(({ code, signal }) => {
    death = signal ?? `exit code ${code}`;
  });
  await Promise.race([peer.dialled, wait(10_000)]);
  const stop = flow(ari);
  await wait(FLOWS_MS);
  await peer.die(way);
  await wait(gapMs);
  const next = await startPeer(peer.port);
  await Promise.race([died, wait(SEEN_WITHIN_MS)]);
  stop();
  await ari.close();
  return death === undefined ? { next } : { death, next };
}

let peer = await startPeer(0);
const pbx = await dialling(peer.port);
try {
  const ari = new AriHttp({ url: pbx.httpUrl, username: pbx.username, password: pbx.password });
  console.log(
    `Asterisk ${(await readFeatures(ari)).version.text}; 2 x ${rate} events/s, ${rate} commands/s; nobody for ${gapMs} ms; ${times} times each`,
  );
  await ari.close();
  for (const [first, way] of ways.entries()) {
    const deaths: string[] = [];
    for (let n = 0; n < times; n += 1) {
      if (n + first > 0) {
        await pbx.restart();
        await wait(RESTED_MS);
      }
      const { death, next } = await attempt(pbx, way, peer);
      peer = next;
      if (death !== undefined) deaths.push(death);
    }
    const how = [...Map.groupBy(deaths, (one) => one)].map(([one, all]) => `${one} ${all.length} times`).join(', ');
    console.log(`${WAYS[way]}: Asterisk died ${deaths.length} of ${times} times${how && ` (${how})`}`);
  }
} finally {
  await peer.die('kill');
  await pbx.stop();
}
