import { expect, test } from 'vitest';
import { neverConnected } from './connect-failure.ts';

const url = 'http://pbx:8088';
const failed = (code: string, syscall?: string) => Object.assign(new Error(code), { code, syscall });

test.each([
  failed('ECONNREFUSED', 'connect'),
  failed('ETIMEDOUT', 'connect'),
  failed('ENOTFOUND', 'getaddrinfo'),
  new AggregateError([failed('ECONNREFUSED', 'connect'), failed('ENETUNREACH', 'connect')]),
])('%s: the request was never sent', (cause) => {
  expect(neverConnected(cause, url)).toMatchObject({ code: 'CF_ARI_UNREACHABLE', mayHaveRun: false, url, cause });
});

test.each([
  failed('ETIMEDOUT', 'read'),
  failed('ECONNRESET', 'read'),
  failed('EPIPE', 'write'),
  failed('UND_ERR_SOCKET'),
])('%s: the connection was made, so the request may have been sent', (cause) => {
  expect(neverConnected(cause, url)).toBeUndefined();
});

test.each(['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID'])('%s is TLS', (code) => {
  expect(neverConnected(failed(code), url)).toMatchObject({ code: 'CF_ARI_TLS' });
});
