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
    return about.warning(
      'entityid',
      `${one.facts.system.entity_id}, the same as ${twin.pbx.name}: their events cannot be told apart (a clone?)`,
      `set entityid in [options] of asterisk.conf as ./callfleet pbx-config --pbx ${one.pbx.name} prints it, and restart Asterisk`,
    );
  const shared = one.pbx.shards.filter((shard) => twin.pbx.shards.includes(shard));
  if (shared.length === 0)
    return about.warning(
      'same machine',
      `is the same Asterisk as ${twin.pbx.name}, with other shards`,
      'make one entry of the two, with all shards',
    );
  return about.problem(
    'same machine',
    `is the same Asterisk as ${twin.pbx.name}: gateways would take ${shared.join(', ')} away from each other`,
    'remove one of the two entries, or mend its url',
  );
}
