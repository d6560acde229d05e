import type { PbxConfig } from '@callfleet/config';
import { type Finding, Findings } from './finding.ts';
import type { AsteriskFacts } from './pbx-check.ts';

export interface KnownPbx {
  readonly pbx: PbxConfig;
  readonly facts: AsteriskFacts;
}

/** Whether PBXs that the configuration names apart are apart. Each is compared with those before it. */
export function checkIdentities(known: readonly KnownPbx[]): Finding[] {
  return known.flatMap((one, index) => {
    const twin = known.slice(0, index).find((other) => other.facts.system.entity_id === one.facts.system.entity_id);
    return twin === undefined ? [] : [sameIdentity(one, twin)];
  });
}

function sameIdentity(one: KnownPbx, twin: KnownPbx): Finding {
  const about = new Findings(`pbx ${one.pbx.name}`);
  // Two Asterisks do not start in the same millisecond.
  if (one.facts.status.startup_time !== twin.facts.status.startup_time)
    return about.problem(
      'entityid',
      `${one.facts.system.entity_id}, the same as ${twin.pbx.name} (a clone?): gateways serve only one of them`,
      `set entityid in [options] of asterisk.conf as ./callfleet pbx-config --pbx ${one.pbx.name} prints it, and restart Asterisk`,
    );
  return about.problem(
    'same machine',
    `is the same Asterisk as ${twin.pbx.name}: gateways serve it under one name only`,
    'mend its url, or make one entry of the two, with all shards',
  );
}
