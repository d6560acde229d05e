import { PBX_NAME } from '@callfleet/identity';
import { z } from 'zod';
import { httpUrl, section, unique } from './schema-parts.ts';

const trunk = section({
  /** For `--to trunk-a:+4930123`. */
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z, a-z, 0-9, "_" and "-"'),
  /** What is dialled, with `{number}` in the number's place. */
  endpoint: z
    .string()
    .regex(/^[^{}]+\/[^{}]*\{number\}[^{}]*$/, 'must be an endpoint with {number} in it, as PJSIP/{number}@trunk-a'),
  /** Calls at once, on all PBXs that have the trunk. */
  maxCalls: z.int().min(1),
  /** New calls a second, on all PBXs that have the trunk; so many at once after a second without any. */
  callsPerSecond: z.number().min(0.01).optional(),
});

const pbx = section({
  /** Unique name of this Asterisk; part of every call id, so it must not change while calls are up. */
  name: z.string().regex(PBX_NAME, 'must be 1 to 32 of a-z, 0-9 and "-", and not begin with "-"'),
  /** Who dials whom: `classic`, gateways dial the PBX; `outbound`, it dials `gateway.listen`. */
  mode: z.enum(['classic', 'outbound']).default('classic'),
  /** Where Asterisk's HTTP server is reached: `http://host:8088`. With `outbound` nobody but the doctor goes there, and it may be left out. */
  url: httpUrl.refine(hasNoCredentials, 'must hold no credentials: give username and password').optional(),
  /** Of Asterisk's ARI user; with `outbound` what the PBX shows of itself when it dials. */
  username: z.string().min(1),
  password: z.string().min(1),
  /** Stasis applications, one ARI socket each. Two or more, so that a gateway's death costs no new call. */
  shards: z
    .array(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z, a-z, 0-9, "_" and "-"'))
    .min(1)
    .default(['callfleet-1', 'callfleet-2']),
  /** Where it stands: its calls get a relay of the same zone when one has room. */
  zone: z.string().min(1).default('default'),
  /** The pool of workers that gets its calls. */
  pool: z.string().min(1).default('default'),
  /** How many of the calls that we place it gets, beside the other PBXs. 0: none, unless it is named. */
  weight: z.number().min(0).default(1),
  /** Ways out, whose calls are counted over the whole fleet. The same trunk may be on several PBXs. */
  trunks: z.array(trunk).superRefine(unique('name')).default([]),
  /** What each gateway asks of it at most. */
  limits: section({
    /** Commands under way at once, beside as many hang-ups, answers and the like. */
    concurrentCommands: z.int().min(1).max(128).default(64),
    /** Of all but hang-ups, answers and the like. */
    commandsPerSecond: z.int().min(1).default(1000),
    /** Commands that wait for their turn; one more is refused. */
    queuedCommands: z.int().min(1).default(1000),
  }).prefault({}),
});

export const pbxs = z
  .array(pbx)
  .min(1, 'at least one PBX is needed')
  .superRefine(unique('name'))
  .superRefine(sameTrunkLimits)
  .superRefine(reachable);

export type PbxConfig = z.output<typeof pbx>;
/** One that can be gone to. */
export type ReachablePbx = PbxConfig & { readonly url: string };

/** Gateways dial it. */
export function isClassic(pbx: PbxConfig): pbx is ReachablePbx {
  return pbx.mode === 'classic';
}

export function hasUrl(pbx: PbxConfig): pbx is ReachablePbx {
  return pbx.url !== undefined;
}

function reachable(pbxs: readonly { mode: string; url?: string | undefined }[], context: z.RefinementCtx): void {
  for (const [index, { mode, url }] of pbxs.entries())
    if (mode === 'classic' && url === undefined)
      context.addIssue({ code: 'custom', path: [index, 'url'], message: 'is needed, since gateways dial this PBX' });
}

function hasNoCredentials(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed === null || (parsed.username === '' && parsed.password === '');
}

/** A trunk is counted as one, on however many PBXs it is. */
function sameTrunkLimits(pbxs: readonly z.output<typeof pbx>[], context: z.RefinementCtx): void {
  const first = new Map<string, z.output<typeof trunk>>();
  for (const [at, { trunks }] of pbxs.entries())
    for (const [index, one] of trunks.entries()) {
      const known = first.get(one.name) ?? one;
      first.set(one.name, known);
      for (const key of ['maxCalls', 'callsPerSecond'] as const)
        if (one[key] !== known[key])
          context.addIssue({
            code: 'custom',
            path: [at, 'trunks', index, key],
            message: `"${one.name}" is one trunk on all PBXs: must be ${known[key] ?? 'left out'} as where it is first`,
          });
    }
}
