import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { AriHttp, AriRefusedError, readFeatures } from '@callfleet/ari';
import { expect, onTestFinished, test } from 'vitest';
import { PbxIdentityError } from './pbx-identities.ts';
import { NotAriError, whyAway, whyLost } from './why-away.ts';

async function urlOf(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const http = (status: number, body: string, type = 'application/json') =>
  createServer((_, response) => response.writeHead(status, { 'content-type': type, connection: 'close' }).end(body));
const tcp = (bytes: string) => createTcpServer((socket) => socket.on('error', () => {}).end(bytes));

/** What is said of a PBX whose url has this server. */
async function whyOf(server: Server | string, scheme = 'http'): Promise<string> {
  const url = typeof server === 'string' ? server : (await urlOf(server)).replace('http', scheme);
  const ari = new AriHttp({ url, username: 'bot', password: 's3cret', requestTimeoutMs: 300, connectTimeoutMs: 300 });
  onTestFinished(() => ari.close());
  const why = await readFeatures(ari).then(() => 'it is an Asterisk', whyAway);
  expect(why, 'no address or secret').not.toMatch(/127\.0\.0\.1|s3cret/);
  return why;
}

test.each([
  ['a wrong password', http(401, '{"message":"Authentication required"}'), /pbxs\[\]\.username and pbxs\[\]\.password/],
  ['another web server', http(200, '<html>Welcome</html>', 'text/html'), /no ARI at pbxs\[\]\.url/],
  ['a page that is not there', http(404, 'no', 'text/plain'), /no ARI at pbxs\[\]\.url/],
  ['another JSON service', http(200, '{"hello":"world"}'), /pbxs\[\]\.url is no Asterisk/],
  ['JSON that breaks off', http(200, '{"system":'), /pbxs\[\]\.url is no Asterisk/],
  ['an SSH server', tcp('SSH-2.0-OpenSSH_9.6\r\n'), /pbxs\[\]\.url is no Asterisk/],
  ['a server that hangs up', tcp(''), /sessionlimit in http\.conf, or https/],
  ['an Asterisk that starts', http(503, '{"message":"Asterisk not booted"}'), /starting or shutting down/],
  ['nothing that listens', 'http://127.0.0.1:1', /no connection to pbxs\[\]\.url/],
  ['a server that says nothing', createTcpServer(), /no answer in time from pbxs\[\]\.url/],
])('%s is told apart, and what mends it is named', async (_, server, why) => {
  expect(await whyOf(server)).toMatch(why);
});

test('https where there is no TLS', async () => {
  expect(await whyOf(tcp('HTTP/1.1 400 Bad Request\r\n\r\n'), 'https')).toMatch(/^TLS fails: mend pbxs\[\]\.url/);
});

test('a user that may not write, and a double, are told of too', () => {
  const refused = { method: 'PUT', route: '/applications/{applicationName}/eventFilter', url: 'http://x' };
  expect(whyAway(new AriRefusedError({ status: 403, refusal: 'Forbidden', ...refused }))).toMatch(/read_only=no/);
  expect(whyAway(new AriRefusedError({ status: 500, refusal: 'Oops', ...refused }))).toMatch(
    /^it refuses PUT .*: 500 Oops/,
  );
  expect(whyAway(new PbxIdentityError('pbx-b', '02:01', 'pbx-a'))).toMatch(/entityid 02:01 is that of pbx-a/);
  expect(whyAway(new NotAriError())).toMatch(/no ARI messages/);
  expect(whyAway(new TypeError('boom at 10.0.0.1'))).toMatch(/see shard\.unreachable/);
});

test('a socket that stood is lost for a reason', () => {
  const lost = { code: 1006, reason: '' };
  expect(whyLost({ ...lost, by: 'silence' })).toMatch(/silent/);
  expect(whyLost({ ...lost, by: 'peer' })).toBe('it closed the event socket (1006)');
  const tooLarge = Object.assign(new RangeError('x'), { code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
  expect(whyLost({ ...lost, by: 'failure', error: tooLarge })).toMatch(/too large.*pbxs\[\]\.url/);
  expect(whyLost({ ...lost, by: 'failure' })).toBe('its event socket broke');
});
