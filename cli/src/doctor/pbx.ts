import { AriHttp } from '@callfleet/ari';
import { type Config, hasUrl, isClassic, type PbxConfig } from '@callfleet/config';
import { bounded } from './bounded-check.ts';
import { type Finding, Findings } from './finding.ts';
import type { PbxCheck, PbxContext } from './pbx-check.ts';
import { checkClock } from './pbx-clock.ts';
import { checkEventSocket } from './pbx-event-socket.ts';
import type { KnownPbx } from './pbx-identity.ts';
import { checkModules } from './pbx-modules.ts';
import { checkOutbound, outOfReach } from './pbx-outbound.ts';
import { type Reached, reachPbx } from './pbx-reach.ts';
import { checkShards } from './pbx-shards.ts';
import { checkVersion } from './pbx-version.ts';
import { checkWriteAccess } from './pbx-write-access.ts';

const CHECKS: readonly (readonly [name: string, check: PbxCheck])[] = [
  ['version', checkVersion],
  ['outbound', checkOutbound],
  ['ari user', checkWriteAccess],
  ['modules', checkModules],
  ['event socket', checkEventSocket],
  ['shards', checkShards],
  ['clock', checkClock],
];

interface ExaminedPbx {
  readonly findings: Finding[];
  readonly known?: KnownPbx;
}

/** All checks of one PBX; when it cannot be reached, why. */
export async function examinePbx(config: Config, pbx: PbxConfig, limitMs: number): Promise<ExaminedPbx> {
  const about = new Findings(`pbx ${pbx.name}`);
  if (!hasUrl(pbx)) return { findings: [outOfReach(about)] };
  // Below the limit of the whole check, so that what failed is told and not only that it took too long.
  const requestMs = limitMs * 0.6;
  const ari = new AriHttp({ ...pbx, connectTimeoutMs: requestMs, requestTimeoutMs: requestMs });
  try {
    let reached: Reached = { findings: [] };
    const findings = await bounded(about, 'reachable', limitMs, async () => {
      reached = await reachPbx(about, pbx, ari, limitMs * 0.3);
      return reached.findings;
    });
    const { facts } = reached;
    if (facts === undefined) return { findings };
    const context: PbxContext = { about, pbx, config, ari, facts, requestMs };
    const others = await Promise.all(
      // Of a PBX that dials, the applications are there whoever serves them.
      CHECKS.filter(([, check]) => isClassic(pbx) || check !== checkShards).map(([name, check]) =>
        bounded(about, name, limitMs, () => check(context)),
      ),
    );
    return { findings: [...findings, ...others.flat()], known: { pbx, facts } };
  } finally {
    await ari.close();
  }
}
