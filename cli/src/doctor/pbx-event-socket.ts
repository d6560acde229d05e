import { randomUUID } from 'node:crypto';
import { AriError, AriSocket } from '@callfleet/ari';
import type { PbxCheck } from './pbx-check.ts';

/** Whether an event socket opens, with an application of its own that ends with it. */
export const checkEventSocket: PbxCheck = async ({ about, pbx, requestMs }) => {
  try {
    const socket = await AriSocket.connect({
      ...pbx,
      apps: [`callfleet-doctor-${randomUUID()}`],
      connectTimeoutMs: requestMs,
      closeTimeoutMs: requestMs / 2,
      onEvent: () => {},
    });
    await socket.close();
    return [about.ok('event socket', 'opens')];
  } catch (error) {
    if (!(error instanceof AriError)) throw error;
    return [
      about.problem(
        'event socket',
        `does not open: ${error.message}`,
        'load res_http_websocket.so and res_ari_events.so; a proxy in between must pass WebSocket upgrades on',
      ),
    ];
  }
};
