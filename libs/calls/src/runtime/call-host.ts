import type { AriRequest } from '@callfleet/ari';
import type { Spoken } from '@callfleet/bus';
import type { DialOptions } from '../dial.ts';
import type { Journal } from './journal.ts';

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
  /** AudioSocket: the connection's UUID. */
  readonly data?: string | undefined;
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

/** What a media session can be told; what has an `id`, once for each. */
export type MediaOrder =
  /** What the AI's tool call came to. */
  | { readonly op: 'tool-result'; readonly id: string; readonly result: string }
  /** The bot is to say this. */
  | { readonly op: 'say'; readonly id: string; readonly text: string }
  /** The caller pressed a key. */
  | { readonly op: 'digit'; readonly id: string; readonly key: string }
  /** Its AI hears nothing from now on, and nothing that is said is told; or all of it again. */
  | { readonly op: 'private'; readonly on: boolean };

/** A media session in a relay, before and after its leg is there. */
export interface OpenMediaSession {
  readonly relay: string;
  readonly leg: LegParameters;
  attach(channelVariables: Readonly<Record<string, string>>): Promise<void>;
  /** Has it do something; a repeat changes nothing. @throws MediaUnavailableError it is over, or its provider can't */
  order(order: MediaOrder): Promise<void>;
  close(reason: string): Promise<void>;
}

/** What a media session is to be like. */
export interface MediaRequest {
  /** The provider's own. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What was said in the session that this one goes on for. */
  readonly history?: readonly Spoken[] | undefined;
  /** The first session of the conversation that it is of, maybe this one. */
  readonly conversation?: string | undefined;
  /** The one that is to have it. Default: one near the PBX. */
  readonly relay?: string | undefined;
}

/** What can be asked of a media session that is open. */
export type KnownMediaSession = Omit<OpenMediaSession, 'leg' | 'attach'>;

/** What a call that we place dials before its program begins. */
export interface OutboundDial extends Pick<DialOptions, 'callerId' | 'variables'> {
  readonly endpoint: string;
  readonly ringTimeoutMs: number;
}

/** What the runtime of one call needs of the world. The worker gives it the bus; a test gives it a script. */
export interface CallHost {
  readonly clock: Clock;
  /** The Stasis application that the call's legs must be in. */
  readonly app: string;
  /** The call is one that we place: this is dialled, and its program begins when it is answered. Absent: it came in. */
  readonly dial?: OutboundDial | undefined;
  /** Time limit of making a media leg, milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long a program may have one call, milliseconds. */
  readonly maxCallMs: number;
  /** How long a program may go on when its call is over, milliseconds. */
  readonly maxAfterCallMs: number;
  /**
   * One REST request to the call's PBX, under the call's epoch. The same `commandId` is executed at most once.
   *
   * @throws PbxUnreachableError, CallTakenOverError
   */
  command<T>(commandId: string, request: AriRequest<T>): Promise<PbxAnswer<T>>;
  /** What the program was told, and where it is kept. */
  readonly journal: Journal;
  /** The lease's epoch: rises with each owner of the call. */
  readonly epoch: number;
  /** Asks a relay for a media session. @throws MediaUnavailableError */
  openMedia(session: string, provider: string, request: MediaRequest): Promise<OpenMediaSession>;
  /** A session that is open in that relay already. */
  knownMedia(session: string, relay: string): KnownMediaSession;
  /** Runs one operation under its name, for traces. */
  operation<T>(name: string, number: number, work: () => Promise<T>): Promise<T>;
}
