import { printFindings } from './print.ts';
import { runDoctor } from './run.ts';

export interface DoctorCommandOptions {
  /** Path of callfleet.yaml. Default: as for every command. */
  config?: string | undefined;
  /** Print the findings as a JSON array. Default false. */
  json?: boolean | undefined;
}

/** Prints what the doctor found. @returns the exit code: 1 when there is a problem, 0 with warnings only */
export async function doctorCommand({ config, json = false }: DoctorCommandOptions): Promise<number> {
  const findings = await runDoctor({ config });
  process.stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : printFindings(findings));
  return findings.some(({ level }) => level === 'problem') ? 1 : 0;
}
