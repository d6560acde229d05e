import { setTimeout as wait } from 'node:timers/promises';
import { AriHttp, channels, expectOk } from '@callfleet/ari';
import { type Asterisk, lineHolderContext, placeLocalCall, startAsterisk, stasisDialplan } from '@callfleet/testkit';

const LIMIT_MS = 20_000;

/** A real Asterisk that hands calls to these shards. */
export function startBenchAsterisk(name: string, shards: readonly string[]): Promise<Asterisk> {
  return startAsterisk({ name, files: { 'extensions.conf': `${stasisDialplan(shards)}${lineHolderContext()}` } });
}

/** Places calls without sound, and waits until all of them are in Stasis. @returns the ids of their channels */
export async function placeLiveCalls(pbx: Asterisk, count: number): Promise<string[]> {
  for (let n = 0; n < count; n += 1) await placeLocalCall(pbx, { extension: '100', from: String(7001 + n) });
  const { httpUrl: url, username, password } = pbx;
  const http = new AriHttp({ url, username, password });
  try {
    const limit = Date.now() + LIMIT_MS;
    for (;;) {
      const there = expectOk(await http.request(channels.list()));
      const ids = there.filter(({ dialplan }) => dialplan.app_name === 'Stasis').map(({ id }) => id);
      if (ids.length >= count) return ids;
      if (Date.now() > limit) throw new Error(`${ids.length} of ${count} calls are in Stasis after ${LIMIT_MS} ms`);
      await wait(50);
    }
  } finally {
    await http.close();
  }
}
