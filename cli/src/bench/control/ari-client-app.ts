import ari from 'ari-client';
import { pbxOfEnvironment, tellReady } from './app-process.ts';

/** The same call logic on the npm package ari-client, as its own examples have it: one process, REST over HTTP. */
const { url, username, password, app } = pbxOfEnvironment();
const client = await ari.connect(url, username, password);
client.on('StasisStart', (_event, channel) => {
  // The caller may have hung up by then.
  channel.answer().catch(() => {});
});
await client.start(app);
tellReady();
