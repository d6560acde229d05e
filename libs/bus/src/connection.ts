import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { AuthorizationError, connect, type NatsConnection } from '@nats-io/transport-node';
import { identityOf, type NatsCredentials, type NatsIdentity } from './credentials.ts';
import { BusError } from './errors.ts';
import { forbidden, RepeatedRefusals } from './forbidden.ts';

export interface BusOptions extends NatsCredentials {
  /** `host:port` or `nats://host:port`, tried in turn. */
  servers: string[];
  /** Shown in NATS's own monitoring. */
  name: string;
  tls?: { caFile?: string | undefined; certFile?: string | undefined; keyFile?: string | undefined } | undefined;
  /** Time limit of the first connection, milliseconds. Later ones are retried for ever. Default 5000. */
  connectTimeoutMs?: number | undefined;
  /**
   * NATS refuses this user a subject (CF_NATS_FORBIDDEN), or the user when it connects again (CF_NATS_UNAUTHORIZED). What is refused again and again is told every ten seconds. Default: a
   * warning of the process.
   */
  onForbidden?: ((error: BusError) => void) | undefined;
}

/** One connection to NATS with its JetStream clients. Whoever connects it closes it. */
export interface Bus {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** What its inboxes begin with: for `createInbox`. */
  readonly inboxPrefix: string;
  /** How long the connection has been lost, milliseconds; undefined while it stands. */
  awayMs(): number | undefined;
  /** Told each time that a lost connection stands again. @returns stops */
  onReconnect(listener: () => void): () => void;
  /** False for a while after NATS was away: others who were cut off with us may not be back yet. */
  isSettled(): boolean;
  /** Sends what is under way, then closes. */
  close(): Promise<void>;
}

/** A lost connection is tried again at least twice a second, milliseconds. */
const SETTLE_MS = 2000;

/** @throws BusError CF_NATS_UNREACHABLE, CF_NATS_UNAUTHORIZED, CF_NATS_CREDENTIALS, CF_NATS_FORBIDDEN, CF_NATS_NO_JETSTREAM */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const identity = identityOf(options);
  const nc = await connectNats(options, identity);
  const refusals = new RepeatedRefusals(
    identity.who,
    options.onForbidden ?? ((error) => process.emitWarning(error.message, { code: error.code })),
  );
  try {
    const jsm = await jetstreamManager(nc);
    const listeners = new Set<() => void>();
    let settledAt = 0;
    let awaySince: number | undefined;
    void followStatus(nc, {
      onDisconnect() {
        awaySince ??= performance.now();
      },
      onReconnect() {
        awaySince = undefined;
        settledAt = performance.now() + SETTLE_MS;
        for (const listener of listeners) listener();
      },
      onError: (error) => refusals.hear(error),
    });
    return {
      nc,
      js: jetstream(nc),
      jsm,
      inboxPrefix: identity.inboxPrefix,
      awayMs: () => (awaySince === undefined ? undefined : performance.now() - awaySince),
      onReconnect(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      isSettled: () => performance.now() >= settledAt,
      close: async () => {
        if (!nc.isClosed()) await nc.drain();
      },
    };
  } catch (cause) {
    await nc.close();
    const refused = forbidden(cause, identity.who);
    if (refused) throw refused;
    throw new BusError(
      'CF_NATS_NO_JETSTREAM',
      `NATS at ${options.servers.join(', ')} answers, but has no JetStream: start nats-server with -js, or enable it for this account`,
      { cause },
    );
  }
}

/** Ends when the connection is closed. */
async function followStatus(
  nc: NatsConnection,
  listeners: { onDisconnect(): void; onReconnect(): void; onError(error: Error): void },
): Promise<void> {
  for await (const status of nc.status())
    if (status.type === 'disconnect') listeners.onDisconnect();
    else if (status.type === 'reconnect') listeners.onReconnect();
    else if (status.type === 'error') listeners.onError(status.error);
}

/** In words for a person; undefined while the connection stands. */
export function whyNatsIsAway(bus: Bus): string | undefined {
  const awayMs = bus.awayMs();
  return awayMs === undefined ? undefined : `disconnected since ${Math.round(awayMs / 1000)} s`;
}

async function connectNats(options: BusOptions, identity: NatsIdentity): Promise<NatsConnection> {
  const where = options.servers.join(', ');
  try {
    return await connect({
      servers: options.servers,
      name: options.name,
      ...(options.user !== undefined && { user: options.user }),
      ...(options.password !== undefined && { pass: options.password }),
      ...(options.token !== undefined && { token: options.token }),
      ...(identity.authenticator && { authenticator: identity.authenticator }),
      inboxPrefix: identity.inboxPrefix,
      // A server whose users are being changed may refuse us for a while.
      ignoreAuthErrorAbort: true,
      ...(options.tls && { tls: definedOnly(options.tls) }),
      timeout: options.connectTimeoutMs ?? 5000,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 250,
      // Stack traces that span awaits halve the publish rate (measured: 32k/s against 60k/s).
      noAsyncTraces: true,
    });
  } catch (cause) {
    if (cause instanceof AuthorizationError)
      throw new BusError(
        'CF_NATS_UNAUTHORIZED',
        `NATS at ${where} refused the credentials of ${identity.who}: check nats.user and nats.password, nats.token, ` +
          'nats.nkeyFile or nats.credentialsFile, and that the server knows this user',
        { cause },
      );
    throw new BusError(
      'CF_NATS_UNREACHABLE',
      `NATS at ${where} does not answer: check nats.servers and nats.tls, and that it runs (${(cause as Error).message})`,
      { cause },
    );
  }
}

function definedOnly<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
