import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * A process that Asterisk dials, as little of a WebSocket server as that takes, so that nothing but the TCP stack answers for it.
 * It reads whatever comes and dies as its first line of input says; SIGKILL and SIGSTOP it gets from outside.
 */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

let socket: Socket | undefined;
const server = createServer().on('upgrade', (request, dialled: Socket) => {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
  dialled.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ari\r\n\r\n`,
  );
  socket = dialled;
  let seen = false;
  dialled
    .on('error', () => {})
    .on('data', () => {
      if (!seen) console.log('served');
      seen = true;
    });
  console.log(`dialled ${request.url} ${JSON.stringify(request.headers)}`);
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  console.log(`listens ${typeof address === 'object' ? address?.port : ''}`);
});

createInterface(process.stdin).on('line', (how) => {
  server.close();
  if (how === 'rst') socket?.resetAndDestroy();
  if (how === 'fin') socket?.end();
  if (how === 'clean') socket?.write(GOING_AWAY);
  socket?.once('close', () => process.exit(0));
});
