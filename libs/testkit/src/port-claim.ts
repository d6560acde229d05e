import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { PartsError } from './errors.ts';

/** Ports of one owner, on 127.0.0.1. */
export interface PortClaim {
  readonly first: number;
  readonly count: number;
  release(): void;
}

interface Range {
  readonly from: number;
  readonly to: number;
  /** Ports of one claim, besides the one that guards it. */
  readonly count: number;
}

/**
 * All below 32768, where no system takes the local ports of outgoing connections from: a server that was killed must find
 * its port free when it comes back, and a client that retries on loopback must not connect to itself.
 */
const SINGLE_PORTS: Range = { from: 10_000, to: 15_999, count: 49 };
const PBX_PORTS: Range = { from: 16_000, to: 32_499, count: 499 };

/** Enough for one Asterisk: HTTP, SIP and at least 400 ports for RTP. */
export const claimPbxPorts = (): Promise<PortClaim> => claim(PBX_PORTS);

let singles: { claim: PortClaim; next: number } | undefined;

/** A port that is free, for TCP and UDP, and that no other process of Callfleet will take as long as this one lives. */
export async function claimPort(): Promise<number> {
  for (;;) {
    if (!singles || singles.next >= singles.claim.first + singles.claim.count) {
      const next = await claim(SINGLE_PORTS);
      singles = { claim: next, next: next.first };
    }
    const port = singles.next;
    singles.next += 1;
    if (await isFree(port)) return port;
  }
}

/**
 * A claim is a listening socket on the port below the block: the kernel lets one process have it, and ends the claim when
 * that process dies, however it dies. Nothing stale is left, as lock files would be.
 */
async function claim({ from, to, count }: Range): Promise<PortClaim> {
  const blocks = Math.floor((to - from + 1) / (count + 1));
  // Processes that start together begin at different places.
  const start = process.pid % blocks;
  for (let i = 0; i < blocks; i += 1) {
    const guardPort = from + ((start + i) % blocks) * (count + 1);
    const guard = await listen(guardPort);
    if (!guard) continue;
    guard.unref();
    return { first: guardPort + 1, count, release: () => guard.close() };
  }
  throw new PartsError(
    'CF_PORTS_EXHAUSTED',
    `all ${blocks} port blocks in ${from}..${to} are taken by other processes`,
  );
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  try {
    await once(server.listen({ port, host: '127.0.0.1', exclusive: true }), 'listening');
    return server;
  } catch {
    return undefined;
  }
}

async function isFree(port: number): Promise<boolean> {
  const tcp = await listen(port);
  if (!tcp) return false;
  tcp.close();
  const udp = createSocket('udp4');
  try {
    await once(udp.bind({ port, address: '127.0.0.1', exclusive: true }), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    udp.close();
  }
}
