/** The configuration can't be used. `problems` holds one line each: the key's path, what is wrong, what is accepted. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CF_CONFIG_INVALID';
  readonly problems: readonly string[];

  constructor(source: string, problems: readonly string[], options?: ErrorOptions) {
    super(`configuration ${source} is not usable:\n${problems.map((line) => `  ${line}`).join('\n')}`, options);
    this.problems = problems;
  }
}
