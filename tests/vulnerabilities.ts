import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** What `npm audit --json` answers; without `metadata` nobody was asked. */
interface AuditReport {
  readonly metadata?: { readonly vulnerabilities: Readonly<Record<string, number>> };
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string; readonly range: string }>>;
  readonly message?: string;
}

/**
 * Asks the registry for known vulnerabilities in what is passed on with Callfleet. Exit codes: 0 there are none that are high or
 * critical, 1 there are, 2 the registry could not be asked, so that nothing is known.
 */
const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  cwd: join(import.meta.dirname, '..'),
  encoding: 'utf8',
  timeout: 60_000,
});
const report = read(stdout);
if (!report.metadata) {
  console.error(`could not be asked: the registry does not say what is vulnerable (${report.message ?? 'no answer'})`);
  process.exitCode = 2;
} else {
  for (const [name, { severity, range }] of Object.entries(report.vulnerabilities ?? {}))
    console.log(`${severity.padEnd(9)} ${name} ${range}`);
  const { high = 0, critical = 0, total = 0 } = report.metadata.vulnerabilities;
  console.log(`${total} known, ${high + critical} of them high or critical`);
  process.exitCode = high + critical > 0 ? 1 : 0;
}

function read(text: string): AuditReport {
  try {
    return JSON.parse(text) as AuditReport;
  } catch {
    return {};
  }
}
