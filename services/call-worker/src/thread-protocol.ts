import type { AriRequest } from '@callfleet/ari';
import type { CallEvent, ProgramVersion } from '@callfleet/bus';
import type { CallContext } from '@callfleet/calls';
import type {
  CallHost,
  CallOutcome,
  JournalEntry,
  JournaledError,
  MediaOrder,
  MediaRequest,
  OpenMediaSession,
  PbxAnswer,
} from '@callfleet/calls/runtime';
import type { VersionedProgram } from './program-loader.ts';

/*
 * What goes between the worker's main thread and its program threads: plain values, each of one run. A run is one attempt at
 * a call's program; a call that lost its thread runs again under another number.
 */

/**
 * What a call's runtime asks of its host in the main thread. A method more: a line here, one in served-host.ts, and one in
 * remote-host.ts.
 */
export interface HostMethods {
  command(commandId: string, request: AriRequest<unknown>): Promise<PbxAnswer<unknown>>;
  append(entry: JournalEntry): Promise<void>;
  openMedia(session: string, provider: string, request: MediaRequest): Promise<Pick<OpenMediaSession, 'relay' | 'leg'>>;
  attachMedia(session: string, channelVariables: Readonly<Record<string, string>>): Promise<void>;
  orderMedia(session: string, relay: string, order: MediaOrder): Promise<void>;
  closeMedia(session: string, relay: string, reason: string): Promise<void>;
}

/** One method of the host, called. */
export type HostCall = { [M in keyof HostMethods]: { method: M; args: Parameters<HostMethods[M]> } }[keyof HostMethods];

/** What a thread needs to run a call's program. */
export interface RunSpec {
  /** Of a configured program. */
  readonly program: ProgramVersion;
  readonly context: CallContext;
  readonly app: string;
  readonly dial?: CallHost['dial'];
  readonly connectTimeoutMs: number;
  readonly maxCallMs: number;
  readonly maxAfterCallMs: number;
  readonly epoch: number;
  /** What the journal has already. */
  readonly before: readonly JournalEntry[];
  /** The call's events so far. */
  readonly events: readonly CallEvent[];
}

export type ToThread =
  | ({ kind: 'run'; run: number } & RunSpec)
  | { kind: 'event'; run: number; event: CallEvent }
  | { kind: 'abandon'; run: number; why: string }
  | { kind: 'reply'; run: number; ask: number; value?: unknown; error?: JournaledError };

export type FromThread =
  | { kind: 'ready' }
  /** The programs can't be loaded. */
  | { kind: 'unusable'; message: string }
  /** Answered by a `reply`. `operation`: the one that it belongs to, if any. */
  | ({ kind: 'ask'; run: number; ask: number; operation?: number } & HostCall)
  | { kind: 'begin'; run: number; operation: number; name: string; number: number }
  | { kind: 'end'; run: number; operation: number; error?: JournaledError }
  | { kind: 'over'; run: number; outcome?: CallOutcome | undefined; error?: JournaledError }
  /** A promise that nobody waits for was rejected; `run` is unknown when it belongs to no call. */
  | { kind: 'stray'; run?: number; message: string };

/** What a thread is started with. */
export interface ThreadStart {
  readonly programs: readonly VersionedProgram[];
  readonly pulse: SharedArrayBuffer;
  /** Of heap in use, MiB: the thread ends itself when it has more. */
  readonly memoryMb: number;
}

/** With which a thread ends that has used up its memory. */
export const OUT_OF_MEMORY = 77;
