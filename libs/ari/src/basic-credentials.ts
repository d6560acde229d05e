import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** As whom an Asterisk dials us. */
export interface DialInAccount {
  readonly username: string;
  readonly password: string;
}

/** Compared with where nobody is known, so that it takes as long. */
const NOBODY: DialInAccount = { username: '', password: randomBytes(32).toString('hex') };

/** Whether an `Authorization` header is this account's; in the same time whatever of it is wrong. */
export function isAuthorized(header: string | undefined, account: DialInAccount | undefined): boolean {
  const { username, password } = account ?? NOBODY;
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return timingSafeEqual(digest(header ?? ''), digest(expected)) && account !== undefined;
}

/** Of one length, as timingSafeEqual needs them. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
