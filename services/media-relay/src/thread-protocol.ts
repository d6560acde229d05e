import type { RelayReply, RelayRequest } from '@callfleet/bus';
import type { Config, RelayConfig } from '@callfleet/config';
import type { SessionEvent } from './media-session.ts';
import type { Pacing } from './pacing-watch.ts';

/* What goes between the relay's main thread and those that have its sessions: plain values, a few for each session. No audio. */

export type ToThread =
  /** Answered by a `reply`. `pbxUrl`: of the PBX of a session to be opened, if it is known. */
  | { kind: 'ask'; ask: number; request: RelayRequest; pbxUrl?: string | undefined }
  /** Answered by `stopped`. */
  | { kind: 'stop' };

export type FromThread =
  | { kind: 'ready' }
  | { kind: 'reply'; ask: number; reply: RelayReply }
  | { kind: 'event'; session: string; event: SessionEvent }
  /** Each second, and at once when it is late, or is so no more. */
  | { kind: 'beat'; isLate: boolean; pacing: Pacing }
  /** All its sessions have ended, and what they told has been sent. */
  | { kind: 'stopped' };

/** What a thread is started with. */
export interface ThreadStart {
  readonly relay: string;
  readonly thread: number;
  /** Its own share of ports is in them. */
  readonly settings: RelayConfig;
  readonly logging: Pick<Config['telemetry'], 'level' | 'format'>;
}
