import { authorizationBlock, newNkeySeed, publicKeyOf } from '@callfleet/bus';
import { keptSecret } from './secret-files.ts';

/** The file of a service's nkey seed, for `nats.nkeyFile: secrets/nats-${service}.nk`. */
const fileOf = (service: string) => `nats-${service}.nk`;

/** Prints the users of the fleet for nats-server's configuration. Their seeds stay in the folder. @throws SecretFileError, BusError */
export function natsPermissionsCommand({ keys }: { keys: string }): void {
  const publicKeys = (service: string) => publicKeyOf(keptSecret(keys, fileOf(service), newNkeySeed));
  process.stdout.write(authorizationBlock(publicKeys));
}
