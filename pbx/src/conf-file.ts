/** A part of a PBX's side: what goes into one of Asterisk's files, or what to do in a GUI, as comments. */
export interface ConfPart {
  /** `http.conf`; for a GUI, its menu. */
  readonly title: string;
  readonly text: string;
}

const RULE_WIDTH = 100;

/** All parts in one text, each under a line that says where it goes. */
export function renderParts(preamble: string, parts: readonly ConfPart[]): string {
  const sections = parts.map(({ title, text }) => `;${` ${title}`.padStart(RULE_WIDTH, '=')}\n\n${text.trimEnd()}\n`);
  return [preamble.trimEnd(), '', ...sections].join('\n');
}

/** A value as a .conf file takes it: ";" would begin a comment. */
export function confValue(value: string): string {
  return value.replaceAll(';', '\\;');
}
