import { randomBytes } from 'node:crypto';
import { aclFile } from '@callfleet/leases';
import { keptSecret } from './secret-files.ts';

/** The file of a user's password, for `redis.url: redis://callfleet-${service}:${file:secrets/redis-${service}-password}@...`. */
const fileOf = (user: string) => `redis-${user}-password`;

/** Letters and digits alone: fit for a URL. */
const newPassword = () => randomBytes(32).toString('hex');

/** Prints the users of the fleet for Redis's `aclfile`. Their passwords stay in the folder. @throws SecretFileError */
export function redisAclCommand({ passwords }: { passwords: string }): void {
  process.stdout.write(aclFile((user) => keptSecret(passwords, fileOf(user), newPassword)));
}
