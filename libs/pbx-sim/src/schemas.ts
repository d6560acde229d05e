import { z } from 'zod';
import { PbxSimError } from './errors.ts';

const ms = z.number().int().min(0).max(86_400_000);
const share = z.number().min(0).max(1);
const name = z.string().regex(/^[A-Za-z0-9_+*#.-]{1,80}$/, 'letters, digits and _ + * # . - only');
const digits = z.array(z.strictObject({ afterMs: ms, digit: z.string().regex(/^[0-9*#A-D]$/) })).max(1000);

const talk = z.strictObject({
  toneHz: z.number().int().min(0).max(3800).multipleOf(50).optional(),
  speakMs: ms.optional(),
  pauseMs: ms.optional(),
});

/** One caller: whom it calls, what it does, when it goes. */
export const callScript = z.strictObject({
  /** Who is called. */
  extension: name.default('100'),
  /** The caller's number. Default: a number of its own. */
  from: name.optional(),
  /** Default: a tone of its own, all the time. */
  talk: talk.optional(),
  /** Each so long after the answer. */
  digits: digits.default([]),
  /** Hangs up so long after the answer. Default: it stays until the PBX hangs up, or `hangUp()`. */
  holdMs: ms.optional(),
  /** Hangs up so long after the call began, answered or not. */
  hangUpAfterMs: ms.optional(),
  /** Gives up when it is not answered so long after the call began. */
  giveUpAfterMs: ms.default(30_000),
  /** Channel variables. */
  variables: z.record(z.string(), z.string()).default({}),
});

/** Many of them. */
export const callsOrder = z.strictObject({
  count: z.number().int().min(1).max(1_000_000),
  /** Default: all at once. */
  arrivalsPerSecond: z.number().positive().max(100_000).optional(),
  call: callScript.prefault({}),
});

/** What goes wrong from now on. */
export const faultSettings = z.strictObject({
  rest: z
    .strictObject({
      /** Each answer is so late. */
      delayMs: ms.default(0),
      /** Of requests, so many are refused, and not carried out. */
      failShare: share.default(0),
      failStatus: z.number().int().min(400).max(599).default(500),
      /** Only requests whose route contains this, as `POST channels/{channelId}/answer`. Default: all. */
      route: z.string().default(''),
    })
    .prefault({}),
  events: z
    .strictObject({
      /** Of events, so many are never sent. */
      loseShare: share.default(0),
      /** Of events, so many are sent twice. */
      repeatShare: share.default(0),
    })
    .prefault({}),
  /** The PBX's clock is so far ahead; below 0: behind. */
  clockSkewMs: z.number().int().min(-31_536_000_000).max(31_536_000_000).default(0),
});

/** What goes wrong once. */
export const faultOrder = z.discriminatedUnion('kind', [
  /** Event sockets are dropped without a close. */
  z.strictObject({ kind: z.literal('drop-sockets'), application: name.optional() }),
  /** A stranger takes the application over: its socket is told ApplicationReplaced. */
  z.strictObject({ kind: z.literal('replace-application'), application: name }),
  /** The PBX is away for so long; its calls are gone, or were held by a PBX that only lost its HTTP server. */
  z.strictObject({ kind: z.literal('crash'), downMs: ms.default(1000), keepCalls: z.boolean().default(false) }),
]);

/** Somebody whom the PBX dials. */
export const endpointBehaviour = z.strictObject({
  does: z.enum(['answers', 'busy', 'rejects', 'no-answer', 'congestion', 'unreachable']).optional(),
  afterMs: ms.optional(),
  hangUpAfterMs: ms.optional(),
  digits: digits.optional(),
});

/** The PBX. */
export const pbxOptions = z.strictObject({
  /** Its system name, and the beginning of its channels' ids. Default `pbx-sim`. */
  name: name.default('pbx-sim'),
  /** As a MAC address. Default: made of the port. */
  entityId: z
    .string()
    .regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, 'as 02:00:00:00:1f:98')
    .optional(),
  /** What it says that it is. */
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+/, 'as 22.10.1')
    .default('22.10.1'),
  host: z.string().default('127.0.0.1'),
  /** Of ARI and of media WebSockets. 0: any that is free. */
  port: z.number().int().min(0).max(65_535).default(0),
  username: z.string().min(1).default('callfleet'),
  password: z.string().min(1).default('callfleet'),
  /** The Stasis applications that callers are offered to. */
  applications: z.array(name).min(1).default(['callfleet-1', 'callfleet-2']),
  /** When nobody serves any of them, they are tried so often, half a second apart. */
  rounds: z.number().int().min(1).max(1000).default(7),
  /** A call that nobody serves, or that is given back, is hung up so much later. */
  fallbackMs: ms.default(10_000),
  /** How long sounds are, by media URI; others a second. */
  sounds: z.record(z.string(), ms).default({}),
  /** Sounds that it does not have. */
  missing: z.array(z.string()).default([]),
  /** Whom it can dial, by address; others answer at once. */
  endpoints: z.record(z.string(), endpointBehaviour).default({}),
  /** Gateways that it dials, as `outbound_websocket` of ari.conf. */
  outbound: z
    .array(
      z.strictObject({
        url: z.url({ protocol: /^wss?$/ }),
        applications: z.array(name).min(1),
        username: z.string().default(''),
        password: z.string().default(''),
        /** Dials again so long after a socket was closed. */
        reconnectMs: ms.default(500),
      }),
    )
    .default([]),
  /** Of chance: the same faults hit the same events again. */
  seed: z.number().int().default(1),
  faults: faultSettings.prefault({}),
});

/** A configuration file: the PBX, and where it takes orders. */
export const fileOptions = pbxOptions.extend({
  /** On loopback. 0: any that is free. */
  controlPort: z.number().int().min(0).max(65_535).default(0),
});

export type CallScript = z.input<typeof callScript>;
export type CallsOrder = z.input<typeof callsOrder>;
export type FaultSettings = z.input<typeof faultSettings>;
export type FaultOrder = z.input<typeof faultOrder>;
export type SimulatedPbxOptions = z.input<typeof pbxOptions>;

/** @throws PbxSimError that says what was wrong, where */
export function checked<T extends z.ZodType>(schema: T, input: unknown, what: string): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => `${path.join('.') || what}: ${message}`);
  throw new PbxSimError('CF_PBX_SIM_BAD_INPUT', `${what}: ${issues.join('; ')}`);
}
