import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a PBX that can break. */
export class PbxProxy {
  readonly #server: Server;
  /** Connections of whoever came this way, with the first line that they sent. */
  readonly #open = new Map<Socket, string>();

  private constructor(server: Server, to: URL) {
    this.#server = server;
    server.on('connection', (client) => this.#pass(client, to));
  }

  /** @param httpUrl of the PBX */
  static async start(httpUrl: string): Promise<PbxProxy> {
    const server = createServer();
    const proxy = new PbxProxy(server, new URL(httpUrl));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** In place of the PBX's own. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Closes the event sockets of an application. @returns how many there were */
  breakSockets(application: string): number {
    const sockets = [...this.#open].filter(([, line]) => line.startsWith(`GET /ari/events?app=${application} `));
    for (const [client] of sockets) client.resetAndDestroy();
    return sockets.length;
  }

  async stop(): Promise<void> {
    for (const client of this.#open.keys()) client.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(client: Socket, { hostname, port }: URL): void {
    const pbx = connect(Number(port), hostname);
    this.#open.set(client, '');
    client.once('data', (data) => this.#open.set(client, data.toString('latin1').split('\r\n')[0] ?? ''));
    client.on('close', () => {
      this.#open.delete(client);
      pbx.destroy();
    });
    pbx.on('close', () => client.destroy());
    for (const end of [client, pbx]) end.on('error', () => {});
    client.pipe(pbx).pipe(client);
  }
}
