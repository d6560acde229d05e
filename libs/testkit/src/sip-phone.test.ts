import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parseSip, type SipMessage } from './sip-message.ts';
import { type PhoneOptions, startPhone } from './sip-phone.ts';

/** A PBX that says what it is told, and keeps what it gets. */
async function phoneAndPbx(options: Partial<PhoneOptions> = {}) {
  const socket = createSocket('udp4');
  await once(socket.bind(0, '127.0.0.1'), 'listening');
  const pbx = { host: '127.0.0.1', port: socket.address().port };
  const phone = await startPhone({ from: { sipAddress: pbx }, answerAfterMs: 1, ...options });
  onTestFinished(async () => {
    await phone.stop();
    socket.close();
  });
  const got: SipMessage[] = [];
  socket.on('message', (datagram) => {
    const message = parseSip(datagram);
    if (message) got.push(message);
  });
  const uri = phone.endpoint.replace('PJSIP/phone/', '');
  const say = (cseq: string, { branch = cseq, body = '', to = `<${uri}>` } = {}) => {
    const lines = [
      `${cseq.split(' ')[1]} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${pbx.port};branch=z9hG4bK-${branch.replace(' ', '-')}`,
      `From: <sip:1@127.0.0.1>;tag=pbx`,
      `To: ${to}`,
      'Call-ID: one',
      `CSeq: ${cseq}`,
      `Contact: <sip:pbx@127.0.0.1:${pbx.port}>`,
    ];
    socket.send(`${lines.join('\r\n')}\r\n\r\n${body}`, Number(uri.split(':').at(-1)), '127.0.0.1');
  };
  /** Waits for the response number `count` of this kind. */
  const response = (status: number, cseq: string, count = 1) =>
    vi.waitFor(() => {
      const found = got.filter((one) => one.status === status && one.header('CSeq') === cseq)[count - 1];
      return found ?? Promise.reject(new Error(`no ${status} to ${cseq}: ${got.map(({ status: s }) => s)}`));
    });
  return { phone, say, response, got };
}

const offer = (direction: string) => `v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\na=${direction}\r\n`;

test('a phone that is put on hold speaks no more until it is taken back', async () => {
  const { phone, say, response } = await phoneAndPbx();
  say('1 INVITE', { body: offer('sendrecv') });
  const to = (await response(200, '1 INVITE')).header('To') ?? '';
  say('1 ACK', { to });
  const call = await phone.nextCall();
  await call.setAudio(null);

  say('2 INVITE', { to, body: offer('sendonly') });
  const held = await response(200, '2 INVITE');
  expect(held.body).toContain('a=recvonly');
  expect(held.header('To')).toBe(to);
  say('2 ACK', { to });
  say('3 INVITE', { to, body: offer('sendrecv') });
  expect((await response(200, '3 INVITE')).body).toContain('a=sendrecv');
  say('3 ACK', { to });
  await call.setAudio(null);
  expect(phone.calls).toHaveLength(1);

  say('4 BYE', { to });
  await response(200, '4 BYE');
  expect(await call.finished).toMatchObject({ answered: true, hungUpBy: 'caller' });
});

test('a request that comes again gets the same response again', async () => {
  const { phone, say, response } = await phoneAndPbx({ behaviour: 'rings' });
  say('1 INVITE', { body: offer('sendrecv') });
  say('1 INVITE', { body: offer('sendrecv') });
  await response(180, '1 INVITE', 2);
  say('1 CANCEL', { branch: '1 INVITE' });
  await response(200, '1 CANCEL');
  await response(487, '1 INVITE');
  say('1 ACK', { branch: '1 INVITE' });
  expect(await (await phone.nextCall()).finished).toMatchObject({ answered: false, hungUpBy: 'caller' });
  expect(phone.calls).toHaveLength(1);
});

test('a final response is sent again until its ACK comes', async () => {
  const { say, response, phone } = await phoneAndPbx({ behaviour: 'busy' });
  say('1 INVITE', { body: offer('sendrecv') });
  await response(486, '1 INVITE', 2);
  say('1 ACK', { branch: '1 INVITE' });
  await (await phone.nextCall()).finished;
});

test('what a phone does not know it refuses, as what belongs to no call', async () => {
  const { say, response } = await phoneAndPbx({ behaviour: 'rings' });
  say('1 OPTIONS');
  await response(200, '1 OPTIONS');
  say('1 BYE', { to: '<sip:agent@127.0.0.1>;tag=unknown' });
  await response(481, '1 BYE');
  say('2 INVITE', { body: offer('sendrecv') });
  await response(180, '2 INVITE');
  say('3 REFER');
  await response(405, '3 REFER');
  say('2 CANCEL', { branch: '2 INVITE' });
  await response(487, '2 INVITE');
  say('2 ACK', { branch: '2 INVITE' });
});

test('a phone sends its caller elsewhere, to an extension or to whom it speaks in another call', async () => {
  const { phone, say, response, got } = await phoneAndPbx();
  say('1 INVITE', { body: offer('sendrecv') });
  const to = (await response(200, '1 INVITE')).header('To') ?? '';
  say('1 ACK', { to });
  const call = await phone.nextCall();
  call.transferTo('500');
  call.transferTo(call);
  await vi.waitFor(() => expect(got.filter(({ method }) => method === 'REFER')).toHaveLength(2));
  const targets = got.filter(({ method }) => method === 'REFER').map((one) => one.header('Refer-To') ?? '');
  expect(targets[0]).toBe('<sip:500@127.0.0.1>');
  const dialog = decodeURIComponent(targets[1]?.split('?Replaces=')[1] ?? '');
  expect(dialog).toBe(`one;to-tag=pbx;from-tag=${to.split(';tag=')[1]}>`);
  say('2 NOTIFY', { to });
  await response(200, '2 NOTIFY');
  say('3 BYE', { to });
  expect(got.filter(({ method }) => method === 'REFER').map((one) => one.header('CSeq'))).toEqual([
    '1 REFER',
    '2 REFER',
  ]);
});
