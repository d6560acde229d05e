import { CallError } from './call-error.ts';
import { CallProgress } from './call-progress.ts';
import { type CallReport, reportOf } from './call-report.ts';
import type { CallerMedia } from './caller-media.ts';
import type { CallerSound } from './caller-sound.ts';
import type { HeardAudio } from './heard-audio.ts';
import type { PhoneBehaviour, PhoneCall } from './phone-call.ts';
import { type SipAnswer, sessionDescription, sipAnswer, sipText } from './sip-answer.ts';
import { audioAddress, parseSip, partyOf, type SipMessage, uriOf } from './sip-message.ts';
import { repeat } from './sip-repeat.ts';
import { waitForTone } from './wait-for-tone.ts';

interface PhoneManner {
  readonly behaviour: PhoneBehaviour;
  /** After the INVITE. */
  readonly answerAfterMs: number;
  /** Where it is called, `sip:...`. */
  readonly contact: string;
  send(datagram: Buffer): void;
}

/** The callee's side of one call (RFC 3261, sections 12 to 15): what it answers, repeats and says. */
export class IncomingCall implements PhoneCall {
  readonly from: PhoneCall['from'];
  readonly answered: Promise<{ readonly setupMs: number }>;
  readonly finished: Promise<CallReport>;
  readonly #answer = Promise.withResolvers<{ readonly setupMs: number }>();
  readonly #finish = Promise.withResolvers<CallReport>();
  readonly #progress = new CallProgress();
  readonly #media: CallerMedia;
  readonly #manner: PhoneManner;
  readonly #invite: SipMessage;
  readonly #tag: string;
  /** By transaction, for a request that comes again. */
  readonly #answers = new Map<string, Buffer>();
  #sessionVersion = 0;
  /** Of our own requests. */
  #cseq = 0;
  /** Of the INVITE's final response. */
  #stopResponding = () => {};
  /** Of our BYE. */
  #stopAsking = () => {};
  /** The 200's ACK came: no BYE may go before (RFC 3261, section 15). */
  #acknowledged = false;
  #hangUpDue = false;
  #isOver = false;
  #answerTimer: NodeJS.Timeout | undefined;

  /** @param media its times must begin when the INVITE came */
  constructor(invite: SipMessage, tag: string, media: CallerMedia, manner: PhoneManner) {
    this.#invite = invite;
    this.#tag = tag;
    this.#media = media;
    this.#manner = manner;
    this.from = partyOf(invite.header('From') ?? '');
    this.answered = this.#answer.promise;
    this.answered.catch(() => {});
    this.finished = this.#finish.promise;
    this.#see('caller', invite);
    this.#takeInvite();
  }

  get rangAtMs() {
    return this.#inCall(this.#progress.rangAt);
  }

  get answeredAtMs() {
    return this.#inCall(this.#progress.answeredAt);
  }

  get endedAtMs() {
    return this.#inCall(this.#progress.endedAt);
  }

  get endedBy() {
    return this.#progress.endedBy;
  }

  get heard(): HeardAudio {
    return this.#media.heard;
  }

  now(): number {
    return this.#inCall(performance.now()) as number;
  }

  sendDtmf(digits: string): void {
    this.#media.press(digits);
  }

  setAudio(sound: CallerSound | null): Promise<number> {
    return this.#media.setSound(sound);
  }

  waitForTone(hz: number, timeoutMs: number): Promise<number> {
    return waitForTone(this.heard, () => this.now(), hz, timeoutMs);
  }

  hangUp(): Promise<CallReport> {
    if (this.#progress.endedAt === undefined) {
      if (!this.#isDecided) this.#refuse(603, 'Decline');
      else if (this.#acknowledged) this.#bye();
      else this.#hangUpDue = true;
    }
    return this.finished;
  }

  /** A message under this call's Call-ID. */
  take(message: SipMessage): void {
    if (message.method === undefined) {
      // The far side knows of our BYE, or of no such call any more.
      if (message.cseqMethod === 'BYE' && (message.status ?? 0) >= 200) this.#over();
      return;
    }
    const answered = this.#answers.get(transactionOf(message));
    if (message.method === 'ACK') this.#takeAck();
    else if (answered) this.#manner.send(answered);
    else if (this.#isOver) this.#respond(message, { status: 481, reason: 'Call/Transaction Does Not Exist' });
    else this.#takeRequest(message);
  }

  #takeRequest(message: SipMessage): void {
    this.#see('caller', message);
    switch (message.method) {
      case 'INVITE':
        this.#offer(message);
        return;
      case 'CANCEL':
        this.#respond(message, { status: 200, reason: 'OK' });
        if (!this.#isDecided) this.#refuse(487, 'Request Terminated');
        return;
      case 'BYE':
        this.#respond(message, { status: 200, reason: 'OK' });
        if (this.#isDecided) this.#over();
        else this.#refuse(487, 'Request Terminated');
        return;
      case 'OPTIONS':
      // How a transfer goes.
      case 'NOTIFY':
        this.#respond(message, { status: 200, reason: 'OK' });
        return;
      default:
        this.#respond(message, { status: 405, reason: 'Method Not Allowed' });
    }
  }

  #takeAck(): void {
    this.#stopResponding();
    if (this.#progress.refused) this.#over();
    this.#acknowledged = true;
    if (this.#hangUpDue) this.#bye();
    this.#hangUpDue = false;
  }

  #takeInvite(): void {
    const { behaviour, answerAfterMs } = this.#manner;
    const answerLater = () => {
      this.#answerTimer = setTimeout(() => this.#accept(), answerAfterMs);
    };
    switch (behaviour) {
      case 'busy':
        this.#refuse(486, 'Busy Here');
        return;
      case 'rejects':
        this.#refuse(603, 'Decline');
        return;
      case 'rings':
        this.#respond(this.#invite, { status: 180, reason: 'Ringing' });
        return;
      case 'answers':
        this.#respond(this.#invite, { status: 180, reason: 'Ringing' });
        answerLater();
        return;
      case 'early-media':
        this.#respond(this.#invite, { status: 183, reason: 'Session Progress', sdp: this.#sessionFor(this.#invite) });
        answerLater();
    }
  }

  /** The INVITE has its final response: there is no other. */
  get #isDecided(): boolean {
    return this.#progress.answeredAt !== undefined || this.#progress.refused !== undefined;
  }

  #accept(): void {
    const early = this.#answers.get(transactionOf(this.#invite));
    // What the 183 said can't be changed by the 200.
    const sdp = (early && parseSip(early)?.body) || this.#sessionFor(this.#invite);
    this.#confirm(this.#invite, sdp);
  }

  /** A re-INVITE: hold, its end, a session's refresh. */
  #offer(invite: SipMessage): void {
    this.#confirm(invite, this.#sessionFor(invite));
  }

  /** Repeated until the ACK comes (RFC 3261, section 13.3.1.4). */
  #confirm(invite: SipMessage, sdp: string): void {
    this.#stopResponding = repeat(
      () => this.#respond(invite, { status: 200, reason: 'OK', sdp }),
      () => this.#bye(),
    );
  }

  #refuse(status: number, reason: string): void {
    clearTimeout(this.#answerTimer);
    this.#stopResponding = repeat(
      () => this.#respond(this.#invite, { status, reason }),
      () => this.#over(),
    );
  }

  #sessionFor(invite: SipMessage): string {
    if (invite.body !== '') this.#media.speakTo(audioAddress(invite.body));
    this.#sessionVersion += 1;
    return sessionDescription(this.#media.port, this.#sessionVersion, invite.body);
  }

  transferTo(target: string | PhoneCall): void {
    const to = typeof target === 'string' ? `sip:${target}@127.0.0.1` : (target as IncomingCall).#replaces();
    const contact = `<${this.#manner.contact}>`;
    this.#send(this.#request('REFER', [`Refer-To: <${to}>`, `Referred-By: ${contact}`, `Contact: ${contact}`]));
  }

  /** Names this call to whoever is to take its place (RFC 3891). */
  #replaces(): string {
    const farTag = /;tag=([^;]+)/.exec(this.#invite.header('From') ?? '')?.[1];
    const dialog = `${this.#invite.header('Call-ID')};to-tag=${farTag};from-tag=${this.#tag}`;
    return `sip:${this.from.number || 'nobody'}@127.0.0.1?Replaces=${encodeURIComponent(dialog)}`;
  }

  #bye(): void {
    const bye = this.#request('BYE');
    this.#stopAsking = repeat(
      () => this.#send(bye),
      () => this.#over(),
    );
  }

  #request(method: string, headers: readonly string[] = []): Buffer {
    this.#cseq += 1;
    const host = this.#manner.contact.slice(this.#manner.contact.indexOf('@') + 1);
    return sipText(`${method} ${uriOf(this.#invite.header('Contact') ?? '')} SIP/2.0`, [
      `Via: SIP/2.0/UDP ${host};rport;branch=z9hG4bK-${this.#tag}-${this.#cseq}`,
      ...this.#invite.headers('Record-Route').map((route) => `Route: ${route}`),
      `From: ${this.#invite.header('To')};tag=${this.#tag}`,
      `To: ${this.#invite.header('From')}`,
      `Call-ID: ${this.#invite.header('Call-ID')}`,
      `CSeq: ${this.#cseq} ${method}`,
      'Max-Forwards: 70',
      ...headers,
    ]);
  }

  #respond(request: SipMessage, answer: SipAnswer): void {
    const datagram = sipAnswer(request, { tag: this.#tag, contact: this.#manner.contact, ...answer });
    this.#answers.set(transactionOf(request), datagram);
    this.#send(datagram);
  }

  #send(datagram: Buffer): void {
    const message = parseSip(datagram);
    if (message) this.#see('callee', message);
    this.#manner.send(datagram);
  }

  #see(sender: 'caller' | 'callee', message: SipMessage): void {
    const change = this.#progress.see(sender, message, performance.now());
    if (change === 'answered') this.#answer.resolve({ setupMs: this.answeredAtMs as number });
    if (change === 'ended') this.#media.fallSilent();
  }

  /** The far side knows that the call has ended, or is gone. */
  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopResponding();
    this.#stopAsking();
    this.#media.close();
    const report = reportOf(this.#progress, (at) => this.#inCall(at) as number, this.#media);
    if (!report.answered) this.#answer.reject(whyNotAnswered(report));
    this.#finish.resolve(report);
  }

  #inCall(at: number | undefined): number | undefined {
    return at === undefined ? undefined : at - (this.#progress.invitedAt ?? at);
  }
}

/** The branch of the top Via names it; a CANCEL has its INVITE's (RFC 3261, section 17.2.3). */
function transactionOf(request: SipMessage): string {
  return `${request.method} ${/;branch=([^;,\s]+)/.exec(request.header('Via') ?? '')?.[1]}`;
}

function whyNotAnswered({ refused, hungUpBy }: CallReport): CallError {
  if (!refused || hungUpBy === 'caller') {
    return new CallError('CF_CALL_NOT_ANSWERED', 'the caller gave up before the phone answered');
  }
  const { status, reason } = refused;
  return new CallError('CF_CALL_REFUSED', `the phone refused with ${status} ${reason}`, { status });
}
