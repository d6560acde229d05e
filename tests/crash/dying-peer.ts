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
const [port = '0', rate = '0'] = process.argv.slice(2);
const EVERY_MS = 10;

let socket: Socket | undefined;
const server = createServer().on('upgrade', (request, dialled: Socket) => {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
  dialled.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ari\r\n\r\n`,
  );
  socket = dialled;
  let due = 0;
  const asking = setInterval(() => {
    for (due += (Number(rate) * EVERY_MS) / 1000; due >= 1; due -= 1) dialled.write(question());
  }, EVERY_MS);
  dialled.once('close', () => clearInterval(asking));
  dialled.on('error', () => {}).resume();
  console.log('dialled');
});

/** A command of a gateway, as a frame. */
function question(): Buffer {
  const text = JSON.stringify({ type: 'RESTRequest', request_id: '1', method: 'GET', uri: 'asterisk/ping' });
  return Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
}

server.listen(Number(port), '127.0.0.1', () => {
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
