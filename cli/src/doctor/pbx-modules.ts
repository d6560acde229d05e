import { asterisk, expectOk } from '@callfleet/ari';
import { DIALPLAN_MODULES, requiredModules } from '@callfleet/pbx';
import type { Finding } from './finding.ts';
import type { PbxCheck } from './pbx-check.ts';

/** Whether the modules run that calls, media legs and the printed dialplan need. */
export const checkModules: PbxCheck = async ({ about, ari, config }) => {
  const modules = expectOk(await ari.request(asterisk.listModules()));
  const running = new Set(modules.filter(({ status }) => status === 'Running').map(({ name }) => name));
  const missing = (wanted: readonly string[]) => wanted.filter((name) => !running.has(name));

  const needed = missing(requiredModules(config.relay.transport));
  const forDialplan = missing(DIALPLAN_MODULES);
  const findings: Finding[] = [];
  if (needed.length > 0)
    findings.push(
      about.problem(
        'modules',
        `not loaded: ${needed.join(', ')}`,
        `asterisk -rx 'module load ${needed[0]}'; take noload lines for it out of modules.conf; or install the package that has it`,
      ),
    );
  if (forDialplan.length > 0)
    findings.push(
      about.warning(
        'modules',
        `not loaded: ${forDialplan.join(', ')}, which the dialplan of ./callfleet pbx-config calls`,
        `asterisk -rx 'module load ${forDialplan[0]}'`,
      ),
    );
  return findings.length > 0 ? findings : [about.ok('modules', `all that ${config.relay.transport} media legs need`)];
};
