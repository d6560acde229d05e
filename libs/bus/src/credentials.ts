import { readFileSync } from 'node:fs';
import { encodeToken } from '@callfleet/identity';
import { type Authenticator, credsAuthenticator, nkeyAuthenticator, nkeys } from '@nats-io/transport-node';
import { BusError } from './errors.ts';

/** How a process shows NATS who it is; one of them, or none. */
export interface NatsCredentials {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** The seed of an nkey. */
  readonly nkeyFile?: string | undefined;
  /** A user's JWT and seed. */
  readonly credentialsFile?: string | undefined;
}

/** What NATS knows a process by. */
export interface NatsIdentity {
  /** In words for a person: `the nkey UB3...`. */
  readonly who: string;
  /**
   * What its inboxes begin with. It has its user in it, so that permissions can keep one user from another's replies; and not as a
   * token behind `_INBOX`, so that who may read `_INBOX.>` reads none of them.
   */
  readonly inboxPrefix: string;
  /** Asked at each connection. JWTs are read anew then, since they run out. */
  readonly authenticator?: Authenticator;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The inboxes of a user, by its name or its public nkey. */
export function inboxPrefixOf(user: string): string {
  return `_INBOX_${encodeToken(user)}`;
}

/** The secret part of a new user's nkey. */
export function newNkeySeed(): string {
  return decoder.decode(nkeys.createUser().getSeed());
}

/** What a server's configuration has of a user: the public part of its nkey. @throws BusError CF_NATS_CREDENTIALS */
export function publicKeyOf(seed: string): string {
  try {
    return nkeys.fromSeed(encoder.encode(seed)).getPublicKey();
  } catch {
    // What is wrong with it is not told: the text would be in it.
    throw new BusError('CF_NATS_CREDENTIALS', "this is no seed of a user's nkey (SU...)");
  }
}

/** @throws BusError CF_NATS_CREDENTIALS a file can't be read, or holds no seed */
export function identityOf({ user, nkeyFile, credentialsFile }: NatsCredentials): NatsIdentity {
  if (nkeyFile !== undefined) {
    const seed = readSecret('nats.nkeyFile', nkeyFile).trim();
    return { ...ofNkey('nats.nkeyFile', nkeyFile, seed), authenticator: nkeyAuthenticator(encoder.encode(seed)) };
  }
  if (credentialsFile !== undefined) {
    let text = readSecret('nats.credentialsFile', credentialsFile);
    const seed = /^SU[A-Z2-7]{56}$/m.exec(text)?.[0] ?? '';
    const latest = () => {
      try {
        text = readSecret('nats.credentialsFile', credentialsFile);
      } catch {
        // It is being replaced: the next attempt finds it.
      }
      return encoder.encode(text);
    };
    return { ...ofNkey('nats.credentialsFile', credentialsFile, seed), authenticator: credsAuthenticator(latest) };
  }
  if (user !== undefined) return { who: `the user ${user}`, inboxPrefix: inboxPrefixOf(user) };
  return { who: 'this connection', inboxPrefix: '_INBOX' };
}

function ofNkey(key: string, file: string, seed: string): NatsIdentity {
  try {
    const publicKey = publicKeyOf(seed);
    return { who: `the nkey ${publicKey}`, inboxPrefix: inboxPrefixOf(publicKey) };
  } catch (cause) {
    throw new BusError('CF_NATS_CREDENTIALS', `${key}: ${file} holds no seed of a user's nkey (SU...)`, { cause });
  }
}

function readSecret(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw new BusError('CF_NATS_CREDENTIALS', `${key}: ${file} can't be read (${why})`, { cause });
  }
}
