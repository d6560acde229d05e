import type { TrunkLimits } from '@callfleet/leases';

/** A trunk as the configuration has it. */
export interface Trunk extends TrunkLimits {
  /** `PJSIP/{number}@trunk-a`. */
  readonly endpoint: string;
}

export interface Destination {
  readonly endpoint: string;
  /** What the call's record and its program see as the called number. */
  readonly number: string;
  readonly trunk?: Trunk;
}

interface BadDestination {
  readonly code: 'CF_BAD_DESTINATION' | 'CF_TRUNK_UNKNOWN';
  readonly message: string;
}

/** Nothing that would mean more than a number within an endpoint: another host, options, a second endpoint. */
const NUMBER = /^[A-Za-z0-9+*#._-]{1,64}$/;

/** What `--to` means: an endpoint as Asterisk dials it, `PJSIP/alice`, or `<trunk>:<number>`. */
export function destinationOf(to: string, trunks: readonly Trunk[]): Destination | BadDestination {
  // A trunk's name has no slash, and an endpoint has one before anything else.
  const [, name, number] = /^([^/:]+):(.*)$/s.exec(to) ?? [];
  if (name === undefined || number === undefined) {
    if (/^[A-Za-z0-9_]+\/[^&]+$/.test(to)) {
      const trunk = trunkOf(to, trunks);
      return { endpoint: to, number: to.slice(to.indexOf('/') + 1), ...(trunk && { trunk }) };
    }
    return { code: 'CF_BAD_DESTINATION', message: `"${to}" is no endpoint; accepted: PJSIP/alice, trunk-a:+4930123` };
  }
  const trunk = trunks.find((one) => one.name === name);
  if (!trunk) {
    const known = trunks.map((one) => one.name).join(', ');
    return { code: 'CF_TRUNK_UNKNOWN', message: `there is no trunk "${name}"; there is ${known || 'none'}` };
  }
  if (!NUMBER.test(number))
    return { code: 'CF_BAD_DESTINATION', message: `"${number}" is no number; accepted: A-Z, a-z, 0-9, + * # . _ -` };
  return { endpoint: trunk.endpoint.replaceAll('{number}', () => number), number, trunk };
}

/** The trunk that an endpoint goes out through, whoever wrote it: one of the same PJSIP endpoint, or of the form of the trunk's own. */
export function trunkOf(endpoint: string, trunks: readonly Trunk[]): Trunk | undefined {
  const dialled = endpoint.toLowerCase();
  const through = pjsipEndpointOf(dialled);
  return trunks.find((trunk) => {
    const form = trunk.endpoint.toLowerCase();
    const own = pjsipEndpointOf(form);
    if (through !== undefined && own !== undefined) return through === own;
    const [before = '', after = ''] = form.split('{number}');
    return dialled.length > before.length + after.length && dialled.startsWith(before) && dialled.endsWith(after);
  });
}

/** `carrier` of `pjsip/1@carrier` and of `pjsip/carrier/sip:1@host`, the two ways to go out through an endpoint. */
function pjsipEndpointOf(dialled: string): string | undefined {
  const [, byUri, byNumber] = /^pjsip\/(?:([^/@]+)\/.+|[^/]+@([^/@]+))$/s.exec(dialled) ?? [];
  return byUri ?? byNumber;
}
