import type { CallId } from '@callfleet/identity';

/** Where a call is: its id, and the shard that its commands and legs belong to. */
export interface CallIdentity {
  readonly id: CallId;
  readonly pbx: string;
  readonly shard: string;
  readonly zone: string;
}
