import { once } from 'node:events';
import type { ExternalMedia } from '@callfleet/bus';
import { WebSocket } from 'ws';
import { RelayError } from './errors.ts';

/** How the WebSocket of one leg comes to be: who connects to whom. */
export interface LegSocket {
  /** What the PBX must be told of it. */
  readonly parameters: Pick<ExternalMedia, 'external_host' | 'connection_type'>;
  /** Options of chan_websocket's dial string, to be put before others. */
  readonly options: string;
  /**
   * The leg's channel is there. The socket that it gives is open, and belongs to the caller.
   *
   * @param onMessage told what comes from the first message on
   * @throws RelayError CF_RELAY_BAD_PEER, CF_RELAY_ATTACH_FAILED
   */
  connect(channelVariables: Readonly<Record<string, string>>, onMessage: OnMessage): Promise<WebSocket>;
  /** Nobody wants it any more; one that was given is left alone. May be called in any state and again. */
  forget(): void;
}

type OnMessage = (data: Buffer, isBinary: boolean) => void;

/** Below what a worker waits for an answer (3 s). */
export const CONNECT_TIMEOUT_MS = 2500;

/** The channel variable by which chan_websocket tells whose the leg is. */
const CONNECTION_ID = 'MEDIA_WEBSOCKET_CONNECTION_ID';

export function connectionIdIn(channelVariables: Readonly<Record<string, string>>): string {
  const id = channelVariables[CONNECTION_ID];
  if (!id) throw new RelayError('CF_RELAY_BAD_PEER', `a WebSocket leg needs ${CONNECTION_ID}`);
  return id;
}

/**
 * We connect to the PBX, whose chan_websocket is a server.
 *
 * @param pbxUrl of its HTTP server: `http://host:8088`
 */
export function dialledToPbx(pbxUrl: string): LegSocket {
  let dialling: WebSocket | undefined;
  return {
    parameters: { external_host: 'INCOMING', connection_type: 'server' },
    options: '',
    async connect(channelVariables, onMessage) {
      const url = mediaUrl(pbxUrl, connectionIdIn(channelVariables));
      const socket = new WebSocket(url, 'media', { handshakeTimeout: CONNECT_TIMEOUT_MS, perMessageDeflate: false });
      dialling = socket;
      socket.on('message', onMessage);
      try {
        await once(socket, 'open');
      } catch (cause) {
        socket.on('error', () => {});
        // The id is all the authentication there is: it must not get into a log.
        const where = new URL(pbxUrl).host;
        throw new RelayError('CF_RELAY_ATTACH_FAILED', `${where} refused the leg's WebSocket`, { cause });
      }
      dialling = undefined;
      return socket;
    },
    forget() {
      // While it still connects, this is an error to it.
      dialling?.on('error', () => {});
      dialling?.close();
    },
  };
}

function mediaUrl(pbxUrl: string, id: string): URL {
  const url = new URL(`media/${encodeURIComponent(id)}`, pbxUrl.endsWith('/') ? pbxUrl : `${pbxUrl}/`);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}
