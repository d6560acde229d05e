import { Agent, request } from 'node:http';
import { WebSocket } from 'ws';
import { pbxOfEnvironment, tellReady } from './app-process.ts';

/** The same call logic with nothing but a WebSocket and HTTP connections that are kept: the least that one process can do. */
const { url, username, password, app } = pbxOfEnvironment();
const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
const agent = new Agent({ keepAlive: true });

function answer(channelId: string): void {
  const path = `/ari/channels/${encodeURIComponent(channelId)}/answer`;
  const asked = request(new URL(path, url), { method: 'POST', agent, headers: { authorization } }, (response) =>
    response.resume(),
  );
  asked.on('error', (error) => console.error(`answer: ${error.message}`));
  asked.end();
}

const socket = new WebSocket(new URL(`/ari/events?app=${app}`, url.replace(/^http/, 'ws')), {
  headers: { authorization },
  perMessageDeflate: false,
});
socket.on('message', (data) => {
  const event = JSON.parse(String(data)) as { type: string; channel: { id: string } };
  if (event.type === 'StasisStart') answer(event.channel.id);
});
socket.on('open', tellReady);
