import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where what took long to make is kept: `$CALLFLEET_CACHE`, else `callfleet` in `$XDG_CACHE_HOME` or `~/.cache`. */
export function cacheFolder(): string {
  const { CALLFLEET_CACHE, XDG_CACHE_HOME } = process.env;
  return CALLFLEET_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'callfleet');
}
