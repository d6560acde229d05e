let addresses = 0;

/**
 * sipp also takes ports for media and for control, though neither is used here, and gives up when 50 other sipps have
 * theirs. On Linux all of 127.0.0.0/8 is this machine, so each sipp takes them on an address of its own.
 */
export function ownAddress(): string[] {
  if (process.platform !== 'linux') return [];
  addresses += 1;
  const address = `127.1.${process.pid % 256}.${addresses % 256}`;
  return ['-mi', address, '-ci', address];
}
