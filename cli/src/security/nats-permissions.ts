import { natsAuthorization, newNkeySeed, publicKeyOf } from '@callfleet/bus';
import { keptSecret } from './secret-files.ts';

export interface NatsPermissionsOptions {
  /** The folder of the seeds. */
  readonly keys: string;
  /** Print values for NATS's Helm chart. Default: a block for nats-server's configuration. */
  readonly helm?: boolean;
}

/** The file of a service's nkey seed, for `nats.nkeyFile: secrets/nats-${service}.nk`. */
const fileOf = (service: string) => `nats-${service}.nk`;

/** Prints the users of the fleet for NATS. Their seeds stay in the folder. @throws SecretFileError, BusError */
export function natsPermissionsCommand({ keys, helm = false }: NatsPermissionsOptions): void {
  const authorization = natsAuthorization((service) => publicKeyOf(keptSecret(keys, fileOf(service), newNkeySeed)));
  const text = (value: unknown) => JSON.stringify(value, null, 2);
  process.stdout.write(
    helm ? `${text({ config: { merge: { authorization } } })}\n` : `authorization: ${text(authorization)}\n`,
  );
}
