import type { SipMessage } from './sip-message.ts';

/** What the SIP messages of one call say about it. Times are performance.now() of when they passed. */
export class CallProgress {
  invitedAt: number | undefined;
  /** Since when it rings at the callee's. */
  rangAt: number | undefined;
  answeredAt: number | undefined;
  endedAt: number | undefined;
  endedBy: 'caller' | 'callee' | undefined;
  /** The final response to the INVITE, if it was no answer. */
  refused: { readonly status: number; readonly reason: string } | undefined;
  #cancelled = false;

  /** @returns what has changed by this message */
  see(from: 'caller' | 'callee', message: SipMessage, at: number): 'invited' | 'answered' | 'ended' | undefined {
    const { method, status = 0, reason = '', cseqMethod } = message;
    if (method === 'CANCEL') this.#cancelled = true;
    if (method === 'INVITE' && this.invitedAt === undefined) {
      this.invitedAt = at;
      return 'invited';
    }
    if (cseqMethod === 'INVITE' && status === 180) this.rangAt ??= at;
    if (cseqMethod === 'INVITE' && status >= 200 && status < 300 && this.answeredAt === undefined) {
      this.answeredAt = at;
      return 'answered';
    }
    if (cseqMethod === 'INVITE' && status >= 300 && !this.refused && this.answeredAt === undefined) {
      this.refused = { status, reason };
      return this.#end(this.#cancelled ? 'caller' : 'callee', at);
    }
    if (method === 'BYE') return this.#end(from, at);
    return undefined;
  }

  #end(by: 'caller' | 'callee', at: number): 'ended' | undefined {
    if (this.endedAt !== undefined) return undefined;
    this.endedAt = at;
    this.endedBy = by;
    return 'ended';
  }
}
