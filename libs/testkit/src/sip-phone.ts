import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { CallError } from './call-error.ts';
import { CallerMedia } from './caller-media.ts';
import type { CallerSound } from './caller-sound.ts';
import { IncomingCall } from './incoming-call.ts';
import type { PhoneBehaviour, PhoneCall } from './phone-call.ts';
import { claimPort } from './port-claim.ts';
import { sipAnswer } from './sip-answer.ts';
import { type Address, parseSip, type SipMessage } from './sip-message.ts';

export interface PhoneOptions {
  /** The Asterisk that may call it. */
  from: { readonly sipAddress: Address };
  /** Default `answers`. */
  behaviour?: PhoneBehaviour;
  /** When it answers, so long after the INVITE, if it does. Default 50. */
  answerAfterMs?: number;
  /** What it says. Default: silence, which is sent too. */
  audio?: CallerSound;
}

/** A telephone on this machine. It takes any number of calls, also at the same time. */
export interface Phone {
  /** What its Asterisk dials to call it: `PJSIP/phone/sip:agent@127.0.0.1:<port>`. */
  readonly endpoint: string;
  /** All that it was called, in order. */
  readonly calls: readonly PhoneCall[];
  /**
   * The first call that was not given yet, which may have come before it is asked for.
   *
   * @throws {CallError} `CF_PHONE_NOT_CALLED` after `timeoutMs`, default 10000
   */
  nextCall(timeoutMs?: number): Promise<PhoneCall>;
  /** Hangs up and goes. */
  stop(): Promise<void>;
}

/** A real telephone: SIP over UDP (RFC 3261), and sockets of our own as its sound. */
export async function startPhone(options: PhoneOptions): Promise<Phone> {
  const { behaviour = 'answers', answerAfterMs = 50, audio, from } = options;
  const pbx = from.sipAddress;
  const port = await claimPort();
  const socket = createSocket('udp4');
  await once(socket.bind(port, '127.0.0.1'), 'listening');
  // The far side's port may be closed already; SIP repeats what matters.
  socket.on('error', () => {});
  const uri = `sip:agent@127.0.0.1:${port}`;
  const send = (datagram: Buffer) => socket.send(datagram, pbx.port, pbx.host);

  const calls = new Map<string, IncomingCall>();
  const ungiven: PhoneCall[] = [];
  let arrived = Promise.withResolvers<void>();
  const begin = async (invite: SipMessage, callId: string) => {
    const invitedAt = performance.now();
    const media = await CallerMedia.open(() => performance.now() - invitedAt);
    if (audio) void media.setSound(audio);
    const tag = `phone-${randomBytes(6).toString('hex')}`;
    const call = new IncomingCall(invite, tag, media, { behaviour, answerAfterMs, contact: uri, send });
    calls.set(callId, call);
    ungiven.push(call);
    arrived.resolve();
    arrived = Promise.withResolvers();
  };
  const take = async (message: SipMessage) => {
    const callId = message.header('Call-ID') ?? '';
    const call = calls.get(callId);
    if (call) return call.take(message);
    if (message.method === 'INVITE' && !message.header('To')?.includes(';tag=')) return begin(message, callId);
    const answer = answerToStranger(message);
    if (answer) send(answer);
  };
  // One after the other: what comes while a call's sockets open may belong to that call.
  let taken = Promise.resolve();
  socket.on('message', (datagram) => {
    const message = parseSip(datagram);
    if (message) taken = taken.then(() => take(message));
  });

  return {
    endpoint: `PJSIP/phone/${uri}`,
    get calls() {
      return [...calls.values()];
    },
    async nextCall(timeoutMs = 10_000) {
      const tooLate = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        tooLate.reject(new CallError('CF_PHONE_NOT_CALLED', `the phone was not called within ${timeoutMs} ms`));
      }, timeoutMs);
      try {
        for (;;) {
          const call = ungiven.shift();
          if (call) return call;
          await Promise.race([arrived.promise, tooLate.promise]);
        }
      } finally {
        clearTimeout(timer);
      }
    },
    async stop() {
      await taken;
      await Promise.all([...calls.values()].map((call) => call.hangUp()));
      socket.close();
    },
  };
}

/** The answer to what belongs to no call of this phone; nothing for what is to have none. */
function answerToStranger(message: SipMessage): Buffer | undefined {
  if (message.method === undefined || message.method === 'ACK') return undefined;
  const known = message.method === 'OPTIONS';
  const answer = known ? { status: 200, reason: 'OK' } : { status: 481, reason: 'Call/Transaction Does Not Exist' };
  return sipAnswer(message, { tag: 'nobody', ...answer });
}
