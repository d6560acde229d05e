export type Level = 'ok' | 'warning' | 'problem';

/** What the doctor found out about one thing, in words for the person who runs the fleet. */
export interface Finding {
  /** `configuration`, `pbx <name>`, `nats`, `redis`, `program <name>`. */
  readonly subject: string;
  /** What was looked at: `reachable`, `ari password`, `version`, ... docs/doctor.md has a paragraph for each. */
  readonly check: string;
  readonly level: Level;
  readonly found: string;
  /** What to do about it. */
  readonly mend?: string;
}

/** Findings about one subject. */
export class Findings {
  readonly subject: string;

  constructor(subject: string) {
    this.subject = subject;
  }

  ok(check: string, found: string): Finding {
    return { subject: this.subject, check, level: 'ok', found };
  }

  warning(check: string, found: string, mend: string): Finding {
    return { subject: this.subject, check, level: 'warning', found, mend };
  }

  problem(check: string, found: string, mend: string): Finding {
    return { subject: this.subject, check, level: 'problem', found, mend };
  }
}
