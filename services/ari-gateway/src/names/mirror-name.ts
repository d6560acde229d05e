const SUFFIX = '.mirror';

/** The Stasis application that a shard is mirrored to. No shard has such a name, and no dialplan: no call ever enters it. */
export function mirrorOf(shard: string): string {
  return `${shard}${SUFFIX}`;
}

export function isMirror(application: string): boolean {
  return application.endsWith(SUFFIX);
}
