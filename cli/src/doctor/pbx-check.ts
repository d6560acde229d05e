import type { AriRequester } from '@callfleet/ari';
import type { Config, ReachablePbx } from '@callfleet/config';
import { z } from 'zod';
import type { Finding, Findings } from './finding.ts';

/** What an Asterisk tells of itself. Checked, since whatever answers at the url may be no Asterisk. */
export const asteriskInfoSchema = z.object({
  system: z.object({ version: z.string(), entity_id: z.string() }),
  status: z.object({ startup_time: z.string() }),
});

export type AsteriskFacts = z.infer<typeof asteriskInfoSchema>;

/** One PBX that was reached. */
export interface PbxContext {
  readonly about: Findings;
  readonly pbx: ReachablePbx;
  readonly config: Config;
  readonly ari: AriRequester;
  readonly facts: AsteriskFacts;
  /** Time limit of each connection and request, milliseconds. */
  readonly requestMs: number;
}

/** Looks at one thing. Requests that change nothing only, and never the application of a shard: its gateway has it. */
export type PbxCheck = (context: PbxContext) => Promise<Finding[]>;
