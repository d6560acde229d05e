import {
  type CallEvent,
  type CallRecord,
  type MediaStats,
  mediaEventSchemas,
  type UnmeasuredSession,
} from '@callfleet/bus';

/** What is known of a call's media sessions, for its record: what they measured, or that nobody can tell. */
export class MediaLedger {
  readonly #begun = new Map<string, UnmeasuredSession>();
  readonly #measured = new Map<string, CallRecord['media'][number]>();

  /** To be told every event of the call, those of earlier owners included. */
  hear({ type, at, data }: CallEvent): void {
    if (type === 'media.started') {
      const { success, data: started } = mediaEventSchemas.started.safeParse(data);
      if (!success || this.#begun.has(started.session)) return;
      this.#begun.set(started.session, { provider: started.provider, relay: started.relay, startedAt: at });
    } else if (type === 'media.ended') {
      const { success, data: ended } = mediaEventSchemas.ended.safeParse(data);
      if (success) this.measured(ended.session, ended.relay, ended.reason, ended.stats);
    }
  }

  /** The first word counts: a session that had ended by itself has told why. */
  measured(session: string, relay: string, reason: string, stats: MediaStats): void {
    if (!this.#measured.has(session)) this.#measured.set(session, { ...stats, relay, reason });
  }

  /** Its relay is found to be gone. @param at ISO 8601 */
  lost(session: string, at: string): void {
    const begun = this.#begun.get(session);
    if (begun) this.#begun.set(session, { ...begun, lostAt: at });
  }

  get media(): CallRecord['media'] {
    return [...this.#measured.values()];
  }

  /** Sessions in which audio flowed, and whose relay took what it had measured with it. */
  get unmeasured(): UnmeasuredSession[] {
    return [...this.#begun].filter(([session]) => !this.#measured.has(session)).map(([, begun]) => begun);
  }
}
