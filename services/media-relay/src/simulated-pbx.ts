import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { ExternalMedia } from '@callfleet/bus';
import {
  AudioSocketReader,
  audioFrame,
  buildRtp,
  encodeTelephoneEvent,
  eventOfKey,
  type FormatName,
  formatNamed,
  hangupFrame,
  keyFrame,
  parseRtp,
  type RtpPacket,
  uuidFrame,
} from '@callfleet/media';
import { WebSocket, WebSocketServer } from 'ws';

/** The PBX's end of one leg, for tests of transports and sessions. */
export interface SimulatedLeg {
  readonly channelVariables: Record<string, string>;
  /** Payloads that arrived here, in order. */
  readonly received: Uint8Array[];
  /** What another leg's channel would have. */
  readonly wrongVariables: Record<string, string>;
  /** Speaks one frame to the relay. */
  say(frame: Uint8Array): void;
  /** The caller presses a key. */
  press(key: string): void;
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
    wrongVariables: {},
    packets,
    received,
    relayAt: '',
    say(frame) {
      leg.sendRaw(
        buildRtp({ payloadType, marker: false, seq: seq & 0xffff, timestamp: seq * frame.length, ssrc: 4711 }, frame),
      );
      seq += 1;
    },
    press(key) {
      const pressed = seq * 160;
      const event = { event: eventOfKey(key) as number, volume: 10, duration: 160 };
      for (const end of [false, true, true, true]) {
        leg.sendRaw(
          buildRtp(
            { payloadType: 101, marker: !end, seq: seq & 0xffff, timestamp: pressed, ssrc: 4711 },
            encodeTelephoneEvent({ ...event, end }),
          ),
        );
        seq += 1;
      }
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
  readonly commands: string[];
  /** Says something in a text message. */
  tell(event: Record<string, unknown>): void;
  hangUp(): void;
}

const CONNECTION_ID = '508e0c20-d596-44e3-ae6b-1bfd6c46054b';

/** A chan_websocket channel in server mode, on an HTTP server of its own. */
export async function simulatedWebSocketLeg(): Promise<SimulatedWebSocketLeg & { readonly url: string }> {
  const http = createServer();
  const server = new WebSocketServer({ noServer: true, handleProtocols: () => 'media' });
  http.on('upgrade', (request, socket, head) => {
    const known = request.url === `/media/${CONNECTION_ID}` && request.headers['sec-websocket-protocol'] === 'media';
    if (!known) socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
    else server.handleUpgrade(request, socket, head, (client) => server.emit('connection', client));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const channel = new SimulatedWebSocketChannel();
  server.on('connection', (client: WebSocket) => channel.speakOver(client));
  return {
    ...channel.leg(CONNECTION_ID),
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: async () => {
      channel.client?.terminate();
      http.close();
      await once(http, 'close');
    },
  };
}

export interface SimulatedDiallingLeg extends SimulatedWebSocketLeg {
  /** Connects as Asterisk does when it is told to make the leg. @returns the HTTP status; 101: it is let in */
  make(as: ExternalMedia, auth?: string): Promise<number>;
}

/** A chan_websocket channel in client mode, whose websocket_client.conf names this port of the relay. */
export function simulatedDiallingLeg(port: number, account: string): SimulatedDiallingLeg {
  const channel = new SimulatedWebSocketChannel();
  return {
    ...channel.leg('callfleet-relay'),
    wrongVariables: { MEDIA_WEBSOCKET_CONNECTION_ID: CONNECTION_ID },
    make({ transport_data }, auth = account) {
      const [, query] = /v\((.*?)\)/.exec(transport_data ?? '') ?? [];
      const client = new WebSocket(`ws://127.0.0.1:${port}/media?${query}`, 'media', { auth });
      const status = Promise.withResolvers<number>();
      client.on('error', () => {});
      client.on('open', () => {
        channel.speakOver(client);
        status.resolve(101);
      });
      client.on('unexpected-response', (_request, response) => {
        status.resolve(response.statusCode ?? 0);
        client.terminate();
      });
      return status.promise;
    },
    close: async () => channel.client?.terminate(),
  };
}

/** What a chan_websocket channel says and hears, whoever connected. */
class SimulatedWebSocketChannel {
  readonly received: Uint8Array[] = [];
  readonly commands: string[] = [];
  client: WebSocket | undefined;
  /** The relay may know of the connection before we do. */
  readonly #unsent: Array<Uint8Array | string> = [];

  speakOver(client: WebSocket): void {
    this.client = client;
    client.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.received.push(data);
      else this.commands.push((JSON.parse(data.toString()) as { command: string }).command);
    });
    this.#send(JSON.stringify({ event: 'MEDIA_START', connection_id: CONNECTION_ID, optimal_frame_size: 160 }));
    for (const message of this.#unsent.splice(0)) client.send(message);
  }

  leg(connectionId: string): Omit<SimulatedWebSocketLeg, 'close'> {
    const tell = (event: Record<string, unknown>) => this.#send(JSON.stringify(event));
    return {
      channelVariables: { MEDIA_WEBSOCKET_CONNECTION_ID: connectionId, MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE: '160' },
      wrongVariables: {},
      received: this.received,
      commands: this.commands,
      tell,
      press: (digit) => tell({ event: 'DTMF_END', channel_id: 'x', digit }),
      say: (frame) => this.#send(frame),
      hangUp: () => this.client?.close(1000),
    };
  }

  #send(message: Uint8Array | string): void {
    if (this.client) this.client.send(message);
    else this.#unsent.push(message);
  }
}

export interface SimulatedAudioSocketLeg extends SimulatedLeg {
  /** Connects as Asterisk does when it is told to make the leg. */
  make(as: ExternalMedia): void;
  sendRaw(bytes: Uint8Array): void;
  /** The relay said that it is over, or closed the connection. */
  readonly ended: Promise<'hangup' | 'closed'>;
  stopReading(): void;
  hangUp(): void;
}

/** An AudioSocket channel. */
export function simulatedAudioSocketLeg(format: FormatName = 'slin'): SimulatedAudioSocketLeg {
  const { sampleRate } = formatNamed(format);
  const received: Uint8Array[] = [];
  const ended = Promise.withResolvers<'hangup' | 'closed'>();
  let socket: Socket | undefined;
  return {
    channelVariables: {},
    wrongVariables: { AUDIOSOCKET_UUID: '508e0c20-d596-44e3-ae6b-1bfd6c46054b' },
    received,
    ended: ended.promise,
    make({ external_host, data }) {
      const [host, port] = external_host.split(':') as [string, string];
      const reader = new AudioSocketReader();
      socket = connect(Number(port), host);
      socket.on('error', () => {});
      socket.on('close', () => ended.resolve('closed'));
      socket.on('data', (chunk) => {
        for (const frame of reader.read(chunk)) {
          if (frame.kind === 'audio' && frame.sampleRate === sampleRate) received.push(frame.audio);
          else if (frame.kind === 'hangup') ended.resolve('hangup');
        }
      });
      socket.write(uuidFrame(data as string));
    },
    sendRaw: (bytes) => socket?.write(bytes),
    say: (frame) => socket?.write(audioFrame(sampleRate, frame)),
    press: (key) => socket?.write(keyFrame(key)),
    stopReading: () => socket?.pause(),
    hangUp: () => socket?.end(hangupFrame()),
    close: async () => {
      if (!socket || socket.closed) return;
      const closed = new Promise((resolve) => socket?.once('close', resolve));
      socket.destroy();
      await closed;
    },
  };
}
