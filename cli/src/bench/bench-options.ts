/** What is measured, and how: options of the command line. */
export interface BenchOptions {
  /** A target that is missed is a failure. */
  check: boolean;
  /** `relay.threads`, where a relay is measured. */
  threads?: number | undefined;
  /** How long a soak takes. */
  minutes?: number | undefined;
}
