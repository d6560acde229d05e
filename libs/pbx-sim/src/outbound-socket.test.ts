import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { startSimulatedPbx } from './mod.ts';

test('a PBX that dials its gateway says what it serves, and keeps events while nobody answers', async () => {
  const gateway = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'ari' });
  await once(gateway, 'listening');
  const told: string[] = [];
  const dialled: WebSocket[] = [];
  gateway.on('connection', (socket) => {
    dialled.push(socket);
    socket.on('message', (data) => told.push(`${dialled.length} ${JSON.parse(data.toString()).type}`));
  });
  const pbx = await startSimulatedPbx({
    applications: ['bot'],
    outbound: [
      { url: `ws://127.0.0.1:${(gateway.address() as AddressInfo).port}`, applications: ['bot'], reconnectMs: 200 },
    ],
  });
  try {
    await expect.poll(() => told).toEqual(['1 ApplicationRegistered']);
    const [first] = dialled as [WebSocket];
    first.close(1001);
    await once(first, 'close');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const call = pbx.call();
    await expect.poll(() => told).toEqual(['1 ApplicationRegistered', '2 ApplicationRegistered', '2 StasisStart']);
    const request = { type: 'RESTRequest', request_id: '1', method: 'POST', uri: `channels/${call.channelId}/answer` };
    dialled[1]?.send(JSON.stringify(request));
    await call.answered;
  } finally {
    await pbx.stop();
    for (const socket of dialled) socket.terminate();
    gateway.close();
  }
});
