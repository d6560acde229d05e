/** Begins the ids of channels that we place calls with: their events are of that call, also before they say so themselves. */
const PREFIX = 'cf-out-';

/** The one argument that such a channel enters its Stasis application with: it is a call that is known already. */
export const ORIGINATED = 'callfleet-originated';

/** The id of a channel that is to be made for a call of ours. @param unique nobody else's */
export function originatedChannelId(unique: string): string {
  return `${PREFIX}${unique}`;
}

export function isOriginatedChannel(channelId: string): boolean {
  return channelId.startsWith(PREFIX);
}
