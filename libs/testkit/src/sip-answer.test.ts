import { expect, test } from 'vitest';
import { sessionDescription, sipAnswer } from './sip-answer.ts';
import { audioAddress, parseSip } from './sip-message.ts';

const INVITE = [
  'INVITE sip:agent@phone SIP/2.0',
  'Via: SIP/2.0/UDP proxy;branch=z9hG4bK-2',
  'Via: SIP/2.0/UDP pbx;branch=z9hG4bK-1',
  'Record-Route: <sip:proxy;lr>',
  'From: "Anna" <sip:1001@pbx>;tag=a',
  'To: <sip:agent@phone>',
  'Call-ID: x',
  'CSeq: 7 INVITE',
];

const answer = (to: string, sdp?: string) => {
  const request = parseSip(Buffer.from(`${INVITE.join('\r\n').replace('To: <sip:agent@phone>', to)}\r\n\r\n`));
  if (!request) throw new Error('no SIP');
  const sent = { status: 200, reason: 'OK', tag: 'mine', contact: 'sip:agent@phone', ...(sdp && { sdp }) };
  return parseSip(sipAnswer(request, sent)) ?? expect.fail('no SIP');
};

test('a response goes back the way that its request came', () => {
  const read = answer('To: <sip:agent@phone>', 'v=0\r\n');
  expect(read).toMatchObject({ status: 200, cseqMethod: 'INVITE', body: 'v=0\r\n' });
  expect(read.headers('Via').map((via) => via.slice(-1))).toEqual(['2', '1']);
  expect(read.header('Record-Route')).toBe('<sip:proxy;lr>');
  expect(read.header('To')).toBe('<sip:agent@phone>;tag=mine');
  expect(read.header('Content-Length')).toBe('5');
});

test('a response within a dialog keeps the tag', () => {
  expect(answer('To: <sip:agent@phone>;tag=before').header('To')).toBe('<sip:agent@phone>;tag=before');
});

test.each([
  ['a=sendrecv', 'a=sendrecv'],
  ['a=sendonly', 'a=recvonly'],
  ['a=recvonly', 'a=sendonly'],
  ['a=inactive', 'a=inactive'],
  ['', 'a=sendrecv'],
])('an offer of %j is answered with %s', (offered, direction) => {
  const sdp = sessionDescription(4000, 3, `m=audio 5000 RTP/AVP 0\r\n${offered}\r\n`);
  expect(sdp).toContain(`\r\n${direction}\r\n`);
  expect(sdp).toContain('o=phone 1 3 ');
  const wantsAudio = /recv/.test(direction);
  expect(audioAddress(sdp)).toEqual(wantsAudio ? { host: '127.0.0.1', port: 4000 } : undefined);
});
