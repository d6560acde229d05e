/** A relay cannot do what it was asked. The code is what a worker acts on. */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly code: /** It has `maxSessions` already. */
    | 'CF_RELAY_FULL'
    /** It is about to stop. */
    | 'CF_RELAY_DRAINING'
    /** All ports of `relay.rtp` are in use or resting. */
    | 'CF_RELAY_PORTS_EXHAUSTED'
    /** A worker with a higher epoch has the call. */
    | 'CF_RELAY_FENCED'
    /** The leg's variables do not say where its audio is. */
    | 'CF_RELAY_BAD_PEER'
    /** The PBX refused the media connection, or did not answer. */
    | 'CF_RELAY_ATTACH_FAILED'
    /** There is no PBX of this name in the configuration. */
    | 'CF_PBX_UNKNOWN'
    /** There is no such media session, or it has ended. */
    | 'CF_SESSION_UNKNOWN'
    /** One of its threads died or hangs: the process ends. */
    | 'CF_RELAY_THREAD_LOST'
    /** Its provider has no way to be told what to say. */
    | 'CF_CANNOT_SAY';

  constructor(code: RelayError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
