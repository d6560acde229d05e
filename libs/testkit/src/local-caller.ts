import type { Asterisk } from './asterisk.ts';

/** The far half of a Local channel: somebody who holds the line for an hour. */
const LINE_HOLDER_CONTEXT = 'callfleet-line-holder';

export const lineHolderContext = () => `[${LINE_HOLDER_CONTEXT}]
exten => s,1,Answer()
 same => n,Wait(3600)
 same => n,Hangup()
`;

const ORIGINATE_LIMIT_MS = 10_000;

/**
 * A caller who is a Local channel of the PBX itself: hundreds of them cost no SIP and no RTP. It says nothing, hears nothing, and
 * hangs up after an hour.
 *
 * @param options `context`: what it does instead, as a dialplan context with an extension `s`
 * @throws Error the PBX refuses it
 */
export async function placeLocalCall(
  pbx: Asterisk,
  options: { extension: string; from: string; context?: string },
): Promise<void> {
  const url = new URL('/ari/channels', pbx.httpUrl);
  url.search = new URLSearchParams({
    endpoint: `Local/${options.extension}@default/n`,
    context: options.context ?? LINE_HOLDER_CONTEXT,
    extension: 's',
    callerId: options.from,
    timeout: '60',
  }).toString();
  const authorization = `Basic ${Buffer.from(`${pbx.username}:${pbx.password}`).toString('base64')}`;
  const signal = AbortSignal.timeout(ORIGINATE_LIMIT_MS);
  const response = await fetch(url, { method: 'POST', headers: { authorization }, signal });
  if (!response.ok) throw new Error(`${pbx.name}: originate answered ${response.status} ${await response.text()}`);
}
