import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import {
  AudioSocketReader,
  audioFrame,
  type FormatName,
  RTP_HEADER_BYTES,
  RtpSender,
  uuidFrame,
} from '@callfleet/media';
import { type WebSocket, WebSocketServer } from 'ws';

/** Where an end's relay is: what it answered when it opened the session. */
export interface RelayPlace {
  readonly external_host: string;
  readonly data?: string | undefined;
}

/** A PBX's end of one media leg. */
export interface MediaEnd {
  readonly channelVariables: Readonly<Record<string, string>>;
  /** The relay waits there. From now on it may send. */
  meet(relay: RelayPlace): void;
  send(frame: Uint8Array): void;
  close(): void;
}

/**
 * Told each frame of audio that comes; `frame` is not kept. Where packets have them:
 *
 * @param number of the packet, from wherever it begins
 * @param place in time, in frames, likewise: it grows by more where the sender left some out
 */
export type FrameListener = (frame: Uint8Array, number?: number, place?: number) => void;

export type MediaEndKind = 'rtp' | 'audiosocket' | 'websocket';

export const formatOfEnd: Readonly<Record<MediaEndKind, FormatName>> = {
  rtp: 'ulaw',
  audiosocket: 'slin',
  websocket: 'ulaw',
};

const HOST = '127.0.0.1';
const FRAME_BYTES = 160;
const SLIN_HZ = 8000;

/** A UnicastRTP channel. */
export async function rtpEnd(onFrame: FrameListener): Promise<MediaEnd> {
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, callback) => callback(null, host, 4) });
  // Without a look-up it listens before `bind` returns.
  const listening = once(socket, 'listening');
  socket.bind(0, HOST);
  await listening;
  let [host, port] = [HOST, 0];
  let [number, place] = [0, 0];
  let last: { seq: number; timestamp: number } | undefined;
  socket.on('message', (packet, from) => {
    // Reports of another leg's, whose port is the one below, are no audio.
    if (from.port !== port) return;
    const seq = packet.readUInt16BE(2);
    const timestamp = packet.readUInt32BE(4);
    if (last) {
      // 16 and 32 bits on a circle.
      number += ((seq - last.seq) << 16) >> 16;
      place += ((timestamp - last.timestamp) | 0) / FRAME_BYTES;
      last.seq = seq;
      last.timestamp = timestamp;
    } else last = { seq, timestamp };
    onFrame(packet.subarray(RTP_HEADER_BYTES), number, place);
  });
  const sender = new RtpSender({ payloadType: 0, samplesPerFrame: FRAME_BYTES, ssrc: 4711, seq: 0, timestamp: 0 });
  const packet = Buffer.alloc(RTP_HEADER_BYTES + FRAME_BYTES);
  return {
    channelVariables: {
      UNICASTRTP_LOCAL_ADDRESS: HOST,
      UNICASTRTP_LOCAL_PORT: String((socket.address() as AddressInfo).port),
    },
    meet: (relay) => {
      [host, port] = placeOf(relay);
    },
    send(frame) {
      if (port === 0) return;
      sender.writeHeader(packet);
      packet.set(frame, RTP_HEADER_BYTES);
      socket.send(packet, port, host);
    },
    close: () => socket.close(),
  };
}

/** An AudioSocket channel of 8 kHz. */
export async function audioSocketEnd(onFrame: FrameListener): Promise<MediaEnd> {
  const reader = new AudioSocketReader();
  let socket: ReturnType<typeof connect> | undefined;
  return {
    channelVariables: {},
    meet(relay) {
      const [host, port] = placeOf(relay);
      socket = connect({ port, host, noDelay: true });
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        for (const frame of reader.read(chunk)) if (frame.kind === 'audio') onFrame(frame.audio);
      });
      socket.write(uuidFrame(relay.data ?? ''));
    },
    send: (frame) => void socket?.write(audioFrame(SLIN_HZ, frame)),
    close: () => socket?.destroy(),
  };
}

/** The HTTP server of a PBX with chan_websocket. */
export class WebSocketEnds {
  readonly #http: Server;
  readonly #ends = new Map<string, (socket: WebSocket) => void>();

  static async listen(): Promise<WebSocketEnds> {
    const ends = new WebSocketEnds();
    await once(ends.#http.listen(0, HOST), 'listening');
    return ends;
  }

  private constructor() {
    this.#http = createServer();
    const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, handleProtocols: () => 'media' });
    this.#http.on('upgrade', (request, stream, head) => {
      const connected = this.#ends.get(request.url?.split('/').at(-1) ?? '');
      if (!connected) stream.end('HTTP/1.1 404 Not Found\r\n\r\n');
      else server.handleUpgrade(request, stream, head, connected);
    });
  }

  get url(): string {
    return `http://${HOST}:${(this.#http.address() as AddressInfo).port}`;
  }

  end(onFrame: FrameListener): MediaEnd {
    const id = String(this.#ends.size);
    let socket: WebSocket | undefined;
    this.#ends.set(id, (connected) => {
      socket = connected;
      connected.on('error', () => {});
      connected.on('message', (data: Buffer, isBinary) => {
        if (isBinary) onFrame(data);
      });
    });
    return {
      channelVariables: { MEDIA_WEBSOCKET_CONNECTION_ID: id },
      meet() {},
      send: (frame) => socket?.send(frame.slice()),
      close: () => socket?.terminate(),
    };
  }
}

function placeOf({ external_host }: RelayPlace): [string, number] {
  const [host = HOST, port] = external_host.split(':');
  return [host, Number(port)];
}
