import { expect, test } from 'vitest';
import { CallProgress } from './call-progress.ts';
import { audioAddress, parseSip, partyOf, type SipMessage, uriOf } from './sip-message.ts';

const message = (...lines: string[]): SipMessage =>
  parseSip(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)) ?? expect.fail('no SIP');
const request = (method: string) => message(`${method} sip:1@pbx SIP/2.0`, `CSeq: 1 ${method}`);
const response = (status: number, method: string) => message(`SIP/2.0 ${status} Phrase`, `CSeq: 1 ${method}`);

test('a response is read', () => {
  const sdp = 'v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 127.0.0.1\r\n';
  const text = `SIP/2.0 486 Busy Here\r\nCSeq: 7 INVITE\r\ncall-id: x\r\n\r\n${sdp}`;
  const read = parseSip(Buffer.from(text));
  expect(read).toMatchObject({ status: 486, reason: 'Busy Here', cseqMethod: 'INVITE', body: sdp });
  expect(read?.header('Call-ID')).toBe('x');
});

test.each(['', '\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', 'SIP/2.0 200 OK'])('%j is no SIP', (text) => {
  expect(parseSip(Buffer.from(text))).toBeUndefined();
});

test.each([
  [
    'its own address',
    'c=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 127.0.0.1',
    { host: '127.0.0.1', port: 4000 },
  ],
  ['the session address', 'c=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0', { host: '10.0.0.1', port: 4000 }],
  ['refused audio', 'c=IN IP4 10.0.0.1\r\nm=audio 0 RTP/AVP 0', undefined],
  ['nobody on hold', 'c=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly\r\n', undefined],
  ['no audio', 'c=IN IP4 10.0.0.1\r\nm=video 4000 RTP/AVP 96', undefined],
  ['nothing', '', undefined],
])('audio goes to %s', (_, sdp, address) => {
  expect(audioAddress(sdp)).toEqual(address);
});

test('a header that is there twice is read twice', () => {
  const read = message('BYE sip:1@pbx SIP/2.0', 'Via: a', 'CSeq: 1 BYE', 'via:b');
  expect(read.headers('Via')).toEqual(['a', 'b']);
  expect(read.headers('Route')).toEqual([]);
});

test.each([
  ['"Anna \\"Ann\\" Bell" <sip:1001@pbx:5060>;tag=x', { number: '1001', name: 'Anna "Ann" Bell' }],
  ['Anna <sip:+49-30@pbx;user=phone>', { number: '+49-30', name: 'Anna' }],
  ['<sips:1001@pbx>', { number: '1001', name: '' }],
  ['sip:1001@pbx;tag=x', { number: '1001', name: '' }],
  ['<sip:pbx>', { number: '', name: '' }],
  ['<tel:+4930>', { number: '', name: '' }],
])('%s names a caller', (header, party) => {
  expect(partyOf(header)).toEqual(party);
});

test.each(['sip:a@host:5999', '<sip:a@host:5999>', '"A" <sip:a@host:5999>;q=1', 'sip:a@host:5999;q=1'])(
  '%s holds a URI',
  (header) => expect(uriOf(header)).toBe('sip:a@host:5999'),
);

test('a re-INVITE that is refused ends no call', () => {
  const call = new CallProgress();
  call.see('caller', request('INVITE'), 0);
  call.see('callee', response(180, 'INVITE'), 5);
  call.see('callee', response(200, 'INVITE'), 10);
  call.see('callee', request('INVITE'), 20);
  expect(call.see('caller', response(488, 'INVITE'), 21)).toBeUndefined();
  expect(call).toMatchObject({ rangAt: 5, answeredAt: 10, endedAt: undefined, refused: undefined });
});

test('an answered call that the callee ends', () => {
  const call = new CallProgress();
  expect(call.see('caller', request('INVITE'), 10)).toBe('invited');
  expect(call.see('caller', request('INVITE'), 500)).toBeUndefined();
  expect(call.see('callee', response(180, 'INVITE'), 510)).toBeUndefined();
  expect(call.see('callee', response(200, 'INVITE'), 520)).toBe('answered');
  expect(call.see('callee', request('BYE'), 900)).toBe('ended');
  expect(call.see('caller', request('BYE'), 901)).toBeUndefined();
  expect(call).toMatchObject({ invitedAt: 10, answeredAt: 520, endedAt: 900, endedBy: 'callee', refused: undefined });
});

test('a call that the caller cancels is not refused by the callee', () => {
  const call = new CallProgress();
  call.see('caller', request('INVITE'), 0);
  call.see('caller', request('CANCEL'), 5);
  expect(call.see('callee', response(200, 'CANCEL'), 6)).toBeUndefined();
  expect(call.see('callee', response(487, 'INVITE'), 7)).toBe('ended');
  expect(call).toMatchObject({ answeredAt: undefined, endedBy: 'caller', refused: { status: 487 } });
});

test('a refused call was ended by the callee', () => {
  const call = new CallProgress();
  call.see('caller', request('INVITE'), 0);
  expect(call.see('callee', response(486, 'INVITE'), 3)).toBe('ended');
  expect(call).toMatchObject({ endedBy: 'callee', refused: { status: 486, reason: 'Phrase' } });
});
