import type { RelayConfig } from '@callfleet/config';

/**
 * The settings of one of a relay's threads: what two can't use at once is shared out. The sessions are not: whoever routes them
 * counts them over all threads.
 *
 * @param thread from 0
 */
export function shareOf(relay: RelayConfig, thread: number): RelayConfig {
  const { threads, rtp, audiosocket } = relay;
  // Even, as RTP ports are; the odd one above each is its RTCP's.
  const firstEven = rtp.portMin + (rtp.portMin % 2);
  const each = Math.floor((rtp.portMax - firstEven + 1) / threads / 2) * 2;
  const portMin = firstEven + thread * each;
  return {
    ...relay,
    rtp: { ...rtp, portMin, portMax: portMin + each - 1 },
    // One port can't be listened to by several threads so that each gets the connections that are its own.
    audiosocket: { ...audiosocket, port: audiosocket.port === 0 ? 0 : audiosocket.port + thread },
  };
}

/** What may name a provider's key (see `keyOptions`); the fleet's own secrets are of no use there. */
const KEY = /^(?!CALLFLEET_)[A-Z][A-Z0-9_]*_(KEY|TOKEN)$/;
/** What Node and the programs that it starts go by. */
const SURROUNDINGS = /^(PATH|NODE_\w+|https?_proxy|no_proxy)$/i;

/** The environment that a thread sees: what could be the key of a voice AI, and nothing else that is secret. */
export function environmentOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => KEY.test(name) || SURROUNDINGS.test(name)));
}
