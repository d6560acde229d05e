import { z } from 'zod';
import { pbxs } from './pbx-schema.ts';
import { relay } from './relay-schema.ts';
import { heldEvents, httpUrl, milliseconds, section } from './schema-parts.ts';

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
  lookEveryMs: z.int().min(50).default(200),
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
  pbxs,
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
export type ProgramConfig = Config['programs'][number];
export type RelayConfig = Config['relay'];
