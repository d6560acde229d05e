import { expect, test } from 'vitest';
import { reasonOf } from './connection-reason.ts';

const where = { host: 'pbx:8088', hostname: 'pbx' };
const failure = (code: string) => Object.assign(new Error(code), { code });

test.each([
  ['ECONNREFUSED', /nothing listens/],
  ['ENOTFOUND', /pbx has no address/],
  ['EAI_AGAIN', /pbx has no address/],
  ['EHOSTUNREACH', /no route/],
  ['ETIMEDOUT', /not answer in time/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS/],
  ['CERT_HAS_EXPIRED', /out of date/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /does not name pbx/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', /not trusted/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /not trusted/],
])('%s in plain words', (code, words) => {
  expect(reasonOf(failure(code), where)?.found).toMatch(words);
});

test("the innermost cause counts, and the first of Node's tries of several addresses", () => {
  const tries = new AggregateError([failure('ECONNREFUSED'), failure('EHOSTUNREACH')]);
  expect(reasonOf(new Error('outer', { cause: tries }), where)?.found).toMatch(/refuses/);
});

test('what it does not know it leaves to others', () => {
  expect(reasonOf(failure('EWHATEVER'), where)).toBeUndefined();
  expect(reasonOf(undefined, where)).toBeUndefined();
});
