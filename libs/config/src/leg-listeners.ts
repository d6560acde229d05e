import type { Config } from './schema.ts';

/** Where one relay listens for media legs, and what PBXs call that. */
export interface LegListener {
  /** The entry of websocket_client.conf. */
  readonly client: string;
  readonly port: number;
}

/** Of each relay that `up` starts on one machine; none where relays connect to the PBXs. */
export function legListeners({ pbxs, relay, up }: Config): LegListener[] {
  const { listen } = relay.websocket;
  if (relay.transport !== 'websocket' || !listen) return [];
  const zones = new Set(pbxs.map(({ zone }) => zone)).size;
  return Array.from({ length: zones * up.relaysPerZone }, (_, n) => ({
    client: n === 0 ? listen.client : `${listen.client}-${n + 1}`,
    port: listen.port + n,
  }));
}
