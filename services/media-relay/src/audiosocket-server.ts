import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type AudioSocketFrame, AudioSocketReader, hangupFrame, type TimeSource } from '@callfleet/media';

export interface AudioSocketServerOptions {
  bindAddress: string;
  /** 0: any free one. */
  port: number;
  time: TimeSource;
}

/** Who waits for one leg's connection, and has it from then on. */
export interface AudioSocketOwner {
  connected(socket: Socket): void;
  frame(frame: AudioSocketFrame): void;
  /** It is closed. */
  gone(detail: string): void;
}

/** Asterisk says whose connection it is as soon as it has it. */
const UUID_LIMIT_MS = 2000;

/** So many connections may be about to say who they are; with more, the newest is refused. */
const MAX_UNKNOWN = 100;

/**
 * The one TCP port that all AudioSocket legs of a relay connect to. A connection belongs to the session whose UUID it names; each
 * UUID is good for one connection, and whoever names another is hung up on.
 */
export class AudioSocketServer {
  readonly #server: Server;
  readonly #time: TimeSource;
  readonly #expected = new Map<string, AudioSocketOwner>();
  readonly #sockets = new Set<Socket>();
  #unknown = 0;
  /** Connections that named no session which is waited for, or none in time. */
  refused = 0;

  private constructor(server: Server, time: TimeSource) {
    this.#server = server;
    this.#time = time;
    server.on('connection', (socket) => this.#meet(socket));
  }

  /** @throws the system's error: EADDRINUSE, where another relay on this machine has the port */
  static async listen({ bindAddress, port, time }: AudioSocketServerOptions): Promise<AudioSocketServer> {
    const server = createServer({ noDelay: true });
    server.listen(port, bindAddress);
    await once(server, 'listening');
    return new AudioSocketServer(server, time);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Gives the connection that names this UUID to `owner`. @returns expects it no longer */
  expect(uuid: string, owner: AudioSocketOwner): () => void {
    this.#expected.set(uuid, owner);
    return () => this.#expected.delete(uuid);
  }

  /** Closes all connections too. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #meet(socket: Socket): void {
    const reader = new AudioSocketReader();
    let owner: AudioSocketOwner | undefined;
    let failure: string | undefined;
    let isUnknown = true;
    this.#sockets.add(socket);
    this.#unknown += 1;
    const cancelLimit = this.#time.after(UUID_LIMIT_MS, () => refuse());
    const settle = () => {
      if (!isUnknown) return;
      isUnknown = false;
      this.#unknown -= 1;
      cancelLimit();
    };
    const refuse = () => {
      settle();
      this.refused += 1;
      socket.write(hangupFrame());
      socket.destroySoon();
    };
    socket.on('data', (chunk) => {
      this.#time.doDue?.();
      for (const frame of reader.read(chunk)) {
        if (owner) owner.frame(frame);
        else if (isUnknown) {
          owner = this.#ownerOf(frame);
          if (owner) settle();
          else refuse();
          owner?.connected(socket);
        }
      }
    });
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.on('close', () => {
      settle();
      this.#sockets.delete(socket);
      owner?.gone(failure ?? 'closed by the PBX');
    });
    if (this.#unknown > MAX_UNKNOWN) refuse();
  }

  #ownerOf(frame: AudioSocketFrame): AudioSocketOwner | undefined {
    if (frame.kind !== 'uuid') return undefined;
    const owner = this.#expected.get(frame.uuid);
    this.#expected.delete(frame.uuid);
    return owner;
  }
}
