import type { Media } from './media.ts';
import type { OperationOptions } from './operation-options.ts';
import type { HoldOptions, Joinable, Party } from './party.ts';

/** People who hear each other. */
export interface Room {
  /** Takes parties in. Who is in another room leaves it. */
  join(...parties: Joinable[]): Promise<void>;
  /** Takes a party out: it hears nothing then, and is still there. */
  leave(party: Joinable): Promise<void>;
  /** The others do not hear this party. */
  mute(party: Party): Promise<void>;
  unmute(party: Party): Promise<void>;
  /** Takes a party out to hear music on hold, which the others do not hear; `unhold` brings it back. */
  hold(party: Party, options?: HoldOptions): Promise<void>;
  unhold(party: Party): Promise<void>;
  /** Plays to all, or to one of them alone; resolves at its end. */
  announce(media: Media | readonly Media[], options?: { to?: Party | undefined }): Promise<void>;
  /** Waits until somebody of this call who joined hangs up. */
  ended(options?: OperationOptions): Promise<void>;
  /** Ends it: nobody hears anybody, and nobody is hung up. A conference ends when the last has left. */
  close(): Promise<void>;
}
