import type { Finding, Level } from './finding.ts';

const MARKS: Readonly<Record<Level, string>> = { ok: '✔', warning: '!', problem: '✖' };

/** Findings as a text: grouped by subject, what to do below what was found, the verdict last. */
export function printFindings(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ check }) => check.length));
  const lines: string[] = [];
  for (const [subject, group] of Map.groupBy(findings, (finding) => finding.subject)) {
    lines.push(subject);
    for (const { check, level, found, mend } of group) {
      lines.push(`  ${MARKS[level]} ${check.padEnd(width)}  ${found}`);
      if (mend !== undefined) lines.push(`    ${' '.repeat(width)}  → ${mend}`);
    }
    lines.push('');
  }
  return `${[...lines, verdictOf(findings)].join('\n')}\n`;
}

function verdictOf(findings: readonly Finding[]): string {
  const problems = findings.filter(({ level }) => level === 'problem').length;
  const warnings = findings.filter(({ level }) => level === 'warning').length;
  if (problems + warnings === 0) return 'All is well.';
  const parts = [count(problems, 'problem'), count(warnings, 'warning')].filter((part) => part !== '');
  return `${parts.join(' and ')}${problems === 0 ? ': calls can run.' : '.'} docs/doctor.md explains each.`;
}

function count(number: number, what: string): string {
  if (number === 0) return '';
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
