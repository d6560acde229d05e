import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isClassic, loadConfig } from '@callfleet/config';
import { createLogger } from '@callfleet/telemetry';
import { expect, onTestFinished, test } from 'vitest';
import { checkCredentials } from './credentials-check.ts';

const log = createLogger('test', 'test', { level: 'silent', format: 'json' });

/** Checks PBXs that answer with these statuses; 0: nothing listens there. */
async function check(...statuses: number[]): Promise<void> {
  const pbxs = await Promise.all(
    statuses.map(async (status, n) => ({
      name: `pbx-${n}`,
      url: status === 0 ? 'http://127.0.0.1:1' : await urlAnswering(status),
      username: 'callfleet',
      password: 'x',
    })),
  );
  await checkCredentials(
    loadConfig({ env: { CALLFLEET_PBXS: JSON.stringify(pbxs) } }).pbxs.filter(isClassic),
    1000,
    log,
  );
}

async function urlAnswering(status: number): Promise<string> {
  const server = createServer((_, response) =>
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end('{}'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a gateway starts when some PBXs refuse the password, or are away', async () => {
  await check(200, 401);
  await check(0, 401);
  await check(0);
});

test('it does not when all refuse it', async () => {
  await expect(check(401)).rejects.toMatchObject({ code: 'CF_ARI_UNAUTHORIZED' });
  await expect(check(401, 401)).rejects.toMatchObject({ code: 'CF_ARI_UNAUTHORIZED' });
});
