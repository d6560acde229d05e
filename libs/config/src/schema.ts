import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PBX_NAME } from '@callfleet/identity';
import { z } from 'zod';

/** An object that refuses keys it does not know, and says which it knows. */
function section<Shape extends z.ZodRawShape>(shape: Shape) {
  const accepted = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')}; accepted: ${accepted}`
        : undefined,
  });
}

const MIB = 1024 * 1024;
const milliseconds = z.int().min(1);
const httpUrl = z.url({ protocol: /^https?$/, error: 'not an http:// or https:// URL' });

/** PEM files: whom to trust beside the authorities that Node knows, and who we are, where the server asks. */
const tlsFiles = section({
  caFile: z.string().min(1).optional(),
  certFile: z.string().min(1).optional(),
  keyFile: z.string().min(1).optional(),
});

const nats = section({
  /** `host:port` or `nats://host:port`, tried in turn. */
  servers: z.array(z.string().min(1)).min(1).default(['127.0.0.1:4222']),
  user: z.string().optional(),
  password: z.string().optional(),
  token: z.string().optional(),
  /** The seed of an nkey. */
  nkeyFile: z.string().min(1).optional(),
  /** A user's JWT and seed, as `nsc generate creds` writes them; read at each connection. */
  credentialsFile: z.string().min(1).optional(),
  tls: tlsFiles.optional(),
  /** Copies of each stream. */
  replicas: z.union([z.literal(1), z.literal(3), z.literal(5)]).default(1),
}).superRefine((given, context) => {
  const [first, other] = (['user', 'token', 'nkeyFile', 'credentialsFile'] as const).filter((key) => key in given);
  if (other !== undefined)
    context.addIssue({ code: 'custom', path: [other], message: `must be left out where there is nats.${first}` });
});

const redis = section({
  /** `redis://[user:password@]host:port[/db]`, `rediss://` for TLS. */
  url: z.url({ protocol: /^rediss?$/, error: 'not a redis:// or rediss:// URL' }).default('redis://127.0.0.1:6379'),
  tls: tlsFiles.optional(),
}).refine(({ url, tls }) => !tls || url.startsWith('rediss:'), {
  path: ['url'],
  error: 'must be a rediss:// URL where there is redis.tls',
});

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

/** Where events wait that NATS does not take. */
const heldEvents = {
  /** Events held in memory while NATS is away; further ones go to disk. */
  maxHeldEvents: z.int().min(1).default(100_000),
  /** Where to; each process has a folder of its own in it. */
  spillFolder: z.string().min(1).default(join(tmpdir(), 'callfleet')),
  /** How much of them; at this bound the newest event is refused. */
  maxSpillBytes: z
    .int()
    .min(16 * MIB)
    .default(1024 * MIB),
};

const gateway = section({
  /** Where PBXs with `mode: outbound` dial in; none: nobody can. */
  listen: section({
    host: z.string().min(1).default('0.0.0.0'),
    port: z.int().min(1).max(65_535),
    /** PEM files. Without them passwords and events go over the network as they are. */
    tls: section({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
  }).optional(),
  /** A call that no worker claims in this time goes back to the dialplan with CALLFLEET_STATUS=NOWORKER. */
  claimTimeoutMs: milliseconds.default(5000),
  /** Time limit of one command on the PBX. */
  commandTimeoutMs: milliseconds.default(5000),
  /** Time limit of connecting to a PBX. */
  connectTimeoutMs: milliseconds.default(5000),
  /** When a PBX fails commands of one class (control, media, originate, read), no more of that class are sent. */
  breaker: section({
    /** More failures than this, of at least `volume` commands in `windowMs`, open it. */
    errorThresholdPercent: z.int().min(1).max(99).default(50),
    volume: z.int().min(1).default(10),
    windowMs: z.int().min(100).default(10_000),
    /** While it is open, the PBX is pinged this often; an answer closes it. */
    halfOpenAfterMs: milliseconds.default(1000),
  }).prefault({}),
  /** First and longest wait between attempts to reach a PBX that is away. */
  reconnectMinMs: milliseconds.default(250),
  reconnectMaxMs: milliseconds.default(5000),
  /** A gateway that is silent this long has lost its shards. */
  sessionTtlMs: z.int().min(1000).default(5000),
  /** How often gateways look who of them is there: one that died is missed at the next look. */
  lookEveryMs: z.int().min(50).default(300),
  /** Shards are shared out anew when no gateway has come or gone for this long. */
  rebalanceAfterMs: milliseconds.default(10_000),
  /**
   * Each shard's events are also told to the gateway that would take it over: then a gateway's crash loses none. PBXs send each
   * event twice.
   */
  mirror: z.boolean().default(true),
  /** How far back that gateway remembers them: a crash must be noticed by then. */
  mirrorMs: z.int().min(1000).max(60_000).default(10_000),
  ...heldEvents,
  /** Legs and bridges whose call is gone, found when a shard is taken over, are removed after this time. */
  strayAfterMs: milliseconds.default(60_000),
  /** Calls of a PBX, or of a shard, that is taken out of the configuration may go on for so long; then they go back to the dialplan. */
  removedDrainMs: z.int().min(0).default(600_000),
});

const worker = section({
  pool: z.string().min(1).default('default'),
  /** Calls at once. */
  maxCalls: z.int().min(1).default(500),
  /** A worker that is silent this long has lost its calls. */
  sessionTtlMs: z.int().min(1000).default(5000),
  /** Time limit of one command, the gateway's own included. */
  commandTimeoutMs: milliseconds.default(8000),
  /** Time limit of making a media leg, from asking a relay to audio. */
  connectTimeoutMs: milliseconds.default(8000),
  /** A program that has its call for longer is stopped, and the call goes back to the dialplan. */
  maxCallMs: milliseconds.default(4 * 3_600_000),
  /** A program that goes on for longer when its call is over is left behind. */
  maxAfterCallMs: milliseconds.default(60_000),
  /** On a stop, calls under way may take this long to end by themselves. */
  drainMs: z.int().min(0).default(10_000),
  /** Threads that run call programs; the calls are shared out among them. */
  programThreads: z.int().min(1).max(64).default(2),
  /** A program thread that gives no sign of life for this long is replaced. */
  stuckAfterMs: z.int().min(300).default(1000),
  /** Heap of each program thread, MiB. */
  programMemoryMb: z.int().min(32).default(512),
  /** While an event loop of the worker is later than this it takes no more calls. */
  maxEventLoopDelayMs: z.int().min(20).default(200),
});

const LINEAR_FORMATS = ['slin', 'slin16', 'slin24', 'slin48'] as const;
const MEDIA_FORMATS = ['ulaw', 'alaw', ...LINEAR_FORMATS, 'opus'] as const;

/**
 * What each transport carries in both directions. AudioSocket has linear audio only. Over RTP Asterisk sends the faster ones, but
 * does not listen to them (22.10.1): their payload types are dynamic, and nothing is negotiated with a media leg.
 */
const FORMATS = { websocket: MEDIA_FORMATS, rtp: ['ulaw', 'alaw', 'slin'], audiosocket: LINEAR_FORMATS } as const;

const relay = section({
  zone: z.string().min(1).default('default'),
  maxSessions: z.int().min(1).default(500),
  /** The sessions are spread over so many threads, each with a clock and ports of its own. 1: they are in the main thread. */
  threads: z.int().min(1).max(64).default(1),
  ...heldEvents,
  /** How media legs reach this relay: chan_websocket (Asterisk 20.18, 22.8, 23.2 or newer), AudioSocket (TCP), or RTP for any. */
  transport: z.enum(['websocket', 'rtp', 'audiosocket']).default('rtp'),
  /**
   * What the audio is written as between PBX and relay. Default: ulaw, which passes through Asterisk and most voice AIs as it is;
   * slin for AudioSocket, which has linear audio only.
   */
  format: z.enum(MEDIA_FORMATS).optional(),
  rtp: section({
    bindAddress: z.string().min(1).default('0.0.0.0'),
    /** The address that PBXs send to; must be reachable from them. */
    advertisedAddress: z.string().min(1).default('127.0.0.1'),
    portMin: z.int().min(1024).max(65_534).default(20_000),
    portMax: z.int().min(1025).max(65_535).default(29_999),
    /** A freed port rests this long, so that no caller hears the end of another call. */
    portRestMs: z.int().min(0).default(10_000),
  })
    .refine((rtp) => rtp.portMax > rtp.portMin, { path: ['portMax'], error: 'must be above portMin' })
    .prefault({}),
  websocket: section({
    /** Audio sent ahead of its time; Asterisk plays it at its own pace. */
    leadMs: z.int().min(20).max(400).default(60),
    /** Where PBXs connect to with their media legs; none: the relay connects to the PBX. */
    listen: section({
      host: z.string().min(1).default('0.0.0.0'),
      port: z.int().min(1).max(65_535),
      /** PEM files. Without them passwords and audio go over the network as they are. */
      tls: section({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
      /** The entry of the PBXs' websocket_client.conf that names this relay. */
      client: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z, a-z, 0-9, "_" and "-"')
        .default('callfleet-relay'),
    }).optional(),
  }).prefault({}),
  audiosocket: section({
    bindAddress: z.string().min(1).default('0.0.0.0'),
    /** The address that PBXs connect to; must be reachable from them. */
    advertisedAddress: z.string().min(1).default('127.0.0.1'),
    /** Where it listens for all of its legs; 0: any free port. Relays on one machine cannot share a port. */
    port: z.int().min(0).max(65_535).default(0),
  }).prefault({}),
  /** A session whose leg never comes is closed after this time. */
  attachTimeoutMs: milliseconds.default(10_000),
  /** A session that gets no packet from its PBX for this long is closed. */
  mediaTimeoutMs: milliseconds.default(60_000),
  watch: section({
    /** A voice AI that has said nothing so long after it was spoken to, or was to greet, has failed. 0: it may be silent. */
    firstAudioMs: z.int().min(0).default(15_000),
  }).prefault({}),
  /** By a provider's name. */
  providers: z
    .record(
      z.string(),
      section({
        /** Conversations at once with each of its keys, over all relays that say so. They are counted in Redis. */
        maxSessions: z.int().min(1),
      }),
    )
    .default({}),
  /** While its event loop is later than this the relay is offered no more sessions. */
  maxEventLoopDelayMs: z.int().min(20).default(100),
}).superRefine(({ transport, format, threads, rtp, audiosocket, websocket }, context) => {
  const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  const formats: readonly string[] = FORMATS[transport];
  if (format !== undefined && !formats.includes(format))
    refuse(['format'], `must be one of ${formats.join(', ')} with ${transport}`);
  if (threads === 1) return;
  if (transport === 'websocket' && websocket.listen)
    refuse(['threads'], 'must be 1 with relay.websocket.listen: PBXs connect to one port of a relay');
  // RTP's port is even, and the odd one above is RTCP's.
  const lowest = rtp.portMin + (rtp.portMin % 2) + 2 * threads - 1;
  if (transport === 'rtp' && rtp.portMax < lowest)
    refuse(
      ['rtp', 'portMax'],
      `must be at least ${lowest}: each of relay.threads (${threads}) needs two ports of its own`,
    );
  const last = audiosocket.port + threads - 1;
  if (transport === 'audiosocket' && audiosocket.port > 0 && last > 65_535)
    refuse(
      ['audiosocket', 'port'],
      `must be at most ${65_536 - threads}: each of relay.threads (${threads}) has one, from this on`,
    );
});

const program = section({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z, a-z, 0-9, "_" and "-"'),
  /** Which version of the program this is. Default: the first 12 hex digits of the SHA-256 of the file. */
  version: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,32}$/, 'must be 1 to 32 of A-Z, a-z, 0-9, ".", "_" and "-"')
    .optional(),
  /** A TypeScript or JavaScript module whose default export is `defineCall(...)`; relative to the configuration file. */
  file: z.string().min(1),
  /**
   * Dialled extensions, exact or Asterisk patterns (`_2XX`, `_X.`). The first program that fits takes the call; one with
   * none only goes on with calls that it has begun.
   */
  extensions: z.array(z.string().min(1)),
});

const telemetry = section({
  level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  format: z.enum(['json', 'pretty']).default('json'),
  /** Base URL of an OTLP/HTTP collector; none: traces and metrics are not exported. */
  otlpEndpoint: httpUrl.optional(),
  /** Share of calls whose traces are exported, 0..1; that a call failed is exported of all. */
  traceRatio: z.number().min(0).max(1).default(1),
  http: section({
    host: z.string().min(1).default('127.0.0.1'),
    /** Of `/livez`, `/readyz` and `/metrics`; 0: any free one; none: there are none. */
    port: z.int().min(0).max(65_535).optional(),
  }).prefault({}),
});

const up = section({
  gateways: z.int().min(1).max(64).default(2),
  workers: z.int().min(1).max(64).default(2),
  relaysPerZone: z.int().min(1).max(64).default(1),
  /** `telemetry.http.port` of the first process; each of the others gets the next one. */
  httpPortFrom: z.int().min(1).max(65_535).optional(),
});

/** callfleet.yaml. docs/configuration.md explains each key. */
export const configSchema = section({
  nats: nats.prefault({}),
  redis: redis.prefault({}),
  pbxs: z
    .array(pbx)
    .min(1, 'at least one PBX is needed')
    .superRefine(unique('name'))
    .superRefine(sameTrunkLimits)
    .superRefine(reachable),
  /** A name may be there in several versions; the worker, which reads the files, knows whether they differ. */
  programs: z.array(program).default([]),
  gateway: gateway.prefault({}),
  worker: worker.prefault({}),
  relay: relay.prefault({}),
  telemetry: telemetry.prefault({}),
  /** How many of each `./callfleet up` starts on this machine. */
  up: up.prefault({}),
}).superRefine(({ pbxs, gateway: { listen } }, context) => {
  const name = pbxs.find(({ mode }) => mode === 'outbound')?.name;
  if (name !== undefined && !listen)
    context.addIssue({
      code: 'custom',
      path: ['gateway', 'listen'],
      message: `${name} (mode: outbound) must dial somewhere: give a port`,
    });
});

export type Config = z.output<typeof configSchema>;
export type PbxConfig = Config['pbxs'][number];
/** One that can be gone to. */
export type ReachablePbx = PbxConfig & { readonly url: string };
export type ProgramConfig = Config['programs'][number];
export type RelayConfig = Config['relay'];

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

function unique<K extends string>(key: K) {
  return (items: ReadonlyArray<Record<K, string>>, context: z.RefinementCtx) => {
    for (const [index, item] of items.entries()) {
      const first = items.findIndex((other) => other[key] === item[key]);
      if (first < index)
        context.addIssue({
          code: 'custom',
          path: [index, key],
          message: `"${item[key]}" is taken by entry ${first}; each must be unique`,
        });
    }
  };
}
