/** An option of the command line can't be understood. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
  readonly code = 'CF_OPTION_REFUSED';
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** `3s`, `500ms`, `2m`, as milliseconds; a number alone is seconds. @throws OptionError */
export function durationMs(text: string, option: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  if (number === undefined) throw new OptionError(`${option}: "${text}" is no duration; accepted: 3s, 500ms, 2m`);
  return Number(number) * (UNITS[unit] as number);
}

/** `NAME=value`, several. @throws OptionError */
export function pairsOf(texts: readonly string[], option: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new OptionError(`${option}: "${text}" has no name and value; accepted: NAME=value`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
