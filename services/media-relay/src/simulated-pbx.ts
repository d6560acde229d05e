import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildRtp, parseRtp, type RtpPacket } from '@callfleet/media';
import { type WebSocket, WebSocketServer } from 'ws';

/** The PBX's end of one leg, for tests of transports and sessions. */
export interface SimulatedLeg {
  readonly channelVariables: Record<string, string>;
  /** Payloads that arrived here, in order. */
  readonly received: Uint8Array[];
  /** Speaks one frame to the relay. */
  say(frame: Uint8Array): void;
  close(): Promise<void>;
}

export interface SimulatedRtpLeg extends SimulatedLeg {
  readonly packets: RtpPacket[];
  /** Where the relay's `open` said it is. */
  relayAt: string;
  sendRaw(datagram: Uint8Array): void;
}

/** A UnicastRTP channel on loopback. */
export async function simulatedRtpLeg(payloadType = 0): Promise<SimulatedRtpLeg> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const packets: RtpPacket[] = [];
  const received: Uint8Array[] = [];
  socket.on('message', (datagram) => {
    const packet = parseRtp(datagram);
    if (!packet) return;
    packets.push(packet);
    received.push(packet.payload);
  });
  let seq = 65_530;
  const leg: SimulatedRtpLeg = {
    channelVariables: {
      UNICASTRTP_LOCAL_ADDRESS: '127.0.0.1',
      UNICASTRTP_LOCAL_PORT: String((socket.address() as AddressInfo).port),
    },
    packets,
    received,
    relayAt: '',
    say(frame) {
      leg.sendRaw(
        buildRtp({ payloadType, marker: false, seq: seq & 0xffff, timestamp: seq * frame.length, ssrc: 4711 }, frame),
      );
      seq += 1;
    },
    sendRaw(datagram) {
      const [host, port] = leg.relayAt.split(':') as [string, string];
      socket.send(datagram, Number(port), host);
    },
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
  return leg;
}

export interface SimulatedWebSocketLeg extends SimulatedLeg {
  readonly url: string;
  readonly commands: string[];
  /** Says something in a text message. */
  tell(event: Record<string, unknown>): void;
  hangUp(): void;
}

const CONNECTION_ID = '508e0c20-d596-44e3-ae6b-1bfd6c46054b';

/** A chan_websocket channel in server mode, on an HTTP server of its own. */
export async function simulatedWebSocketLeg(): Promise<SimulatedWebSocketLeg> {
  const http = createServer();
  const server = new WebSocketServer({ noServer: true, handleProtocols: () => 'media' });
  http.on('upgrade', (request, socket, head) => {
    const known = request.url === `/media/${CONNECTION_ID}` && request.headers['sec-websocket-protocol'] === 'media';
    if (!known) socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
    else server.handleUpgrade(request, socket, head, (client) => server.emit('connection', client));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  let client: WebSocket | undefined;
  const received: Uint8Array[] = [];
  const commands: string[] = [];
  server.on('connection', (connected: WebSocket) => {
    client = connected;
    connected.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) received.push(data);
      else commands.push((JSON.parse(data.toString()) as { command: string }).command);
    });
    connected.send(JSON.stringify({ event: 'MEDIA_START', connection_id: CONNECTION_ID, optimal_frame_size: 160 }));
  });
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    channelVariables: { MEDIA_WEBSOCKET_CONNECTION_ID: CONNECTION_ID, MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE: '160' },
    received,
    commands,
    say: (frame) => client?.send(frame),
    tell: (event) => client?.send(JSON.stringify(event)),
    hangUp: () => client?.close(1000),
    close: async () => {
      client?.terminate();
      http.close();
      await once(http, 'close');
    },
  };
}
