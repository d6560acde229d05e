import type { AriRequest } from '@callfleet/ari';

/** Time, handed in so that programs can run in simulated time. */
export interface Clock {
  now(): number;
  /** @returns cancels it */
  after(milliseconds: number, action: () => void): () => void;
}

/** Parameters of the leg's `externalMedia`, as its relay wants them. */
export interface LegParameters {
  readonly external_host: string;
  readonly encapsulation: 'rtp' | 'none' | 'audiosocket';
  readonly transport: 'udp' | 'websocket' | 'tcp';
  readonly connection_type: 'client' | 'server';
  readonly format: string;
  readonly transport_data?: string | undefined;
}

/** What the PBX answered to a command, whatever it was. */
export interface PbxAnswer<T> {
  /** HTTP status: 400 and above is a refusal. */
  readonly status: number;
  /** For a refusal what Asterisk says of it, "Channel not found". */
  readonly reason: string;
  /** Of the type T when it is no refusal. */
  readonly body: T;
}

/** A media session in a relay, before and after its leg is there. */
export interface OpenMediaSession {
  readonly leg: LegParameters;
  attach(channelVariables: Readonly<Record<string, string>>): Promise<void>;
  close(reason: string): Promise<void>;
}

/** What the runtime of one call needs of the world. The worker gives it the bus; a test gives it a script. */
export interface CallHost {
  readonly clock: Clock;
  /** The Stasis application that the call's legs must be in. */
  readonly app: string;
  /** Time limit of making a media leg, milliseconds. */
  readonly connectTimeoutMs: number;
  /**
   * One REST request to the call's PBX, under the call's epoch. The same `commandId` is executed at most once.
   *
   * @throws PbxUnreachableError, CallTakenOverError
   */
  command<T>(commandId: string, request: AriRequest<T>): Promise<PbxAnswer<T>>;
  /** Asks a relay near the PBX for a media session. @throws MediaUnavailableError */
  openMedia(session: string, provider: string, options: Readonly<Record<string, unknown>>): Promise<OpenMediaSession>;
  /** Runs one operation under its name, for traces. */
  operation<T>(name: string, number: number, work: () => Promise<T>): Promise<T>;
}
