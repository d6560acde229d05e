import { AuthorizationError, PermissionViolationError } from '@nats-io/transport-node';
import { BusError } from './errors.ts';

const TOLD_EVERY_MS = 10_000;

/** What NATS means where it refuses a subject; undefined: `error` is something else. */
export function forbidden(error: unknown, who = 'this user'): BusError | undefined {
  const violation = violationIn(error);
  if (!violation) return undefined;
  const { operation, subject } = violation;
  const what = operation === 'publish' ? `publish to ${subject}` : `subscribe to ${subject}`;
  const message =
    `NATS refuses ${who}: it may not ${what}; its permissions are not those that ` +
    '`callfleet nats-permissions` prints, or it is the user of another service';
  return new BusError('CF_NATS_FORBIDDEN', message, { cause: violation });
}

/** A server that knew the user before, and is connected to again. */
function unknown(error: unknown, who: string): BusError | undefined {
  if (!(error instanceof AuthorizationError)) return undefined;
  return new BusError('CF_NATS_UNAUTHORIZED', `NATS does not know ${who} any more, or another key of it`, {
    cause: error,
  });
}

function violationIn(error: unknown): PermissionViolationError | undefined {
  if (error instanceof PermissionViolationError) return error;
  const cause = (error as { cause?: unknown } | undefined)?.cause;
  return cause instanceof PermissionViolationError ? cause : undefined;
}

/** Tells each refusal once, and again while it goes on: a service tries again and again, under a subject of each call's own. */
export class RepeatedRefusals {
  readonly #who: string;
  readonly #tell: (error: BusError) => void;
  readonly #now: () => number;
  readonly #toldAt = new Map<string, number>();

  constructor(who: string, tell: (error: BusError) => void, now = () => performance.now()) {
    this.#who = who;
    this.#tell = tell;
    this.#now = now;
  }

  hear(error: unknown): void {
    const violation = violationIn(error);
    const refused = forbidden(error, this.#who) ?? unknown(error, this.#who);
    if (!refused) return;
    const kind = violation ? kindOf(violation) : refused.code;
    const now = this.#now();
    if (now - (this.#toldAt.get(kind) ?? Number.NEGATIVE_INFINITY) < TOLD_EVERY_MS) return;
    this.#toldAt.set(kind, now);
    this.#tell(refused);
  }
}

/** Without what names one call or process, so that there are few. */
function kindOf({ operation, subject }: PermissionViolationError): string {
  const tokens = subject.split('.');
  if (tokens[0] === '$JS') return [operation, ...tokens.slice(0, 4)].join(' ');
  // `cf.call.<pbx>.<channel>.ev`
  return tokens[0] === 'cf' ? [operation, tokens[1], tokens[4]].join(' ') : `${operation} ${tokens[0]}`;
}
