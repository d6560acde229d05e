/**
 * One NATS subject token that stands for any string, reversibly and readably.
 *
 * Asterisk's channel ids hold "." (`pbx-a-1763701200.12`), which separates tokens in a NATS subject. "." is by far the
 * most frequent, so it becomes "_"; everything else outside `A-Z a-z 0-9 - ; @ : +` becomes "=" and two hex digits per
 * UTF-8 byte. "~" is escaped too: it separates a call from its resources.
 */
const PLAIN = /^[A-Za-z0-9\-;@:+]$/;
/** What nearly all are: only "." is another. */
const PLAIN_TEXT = /^[A-Za-z0-9\-;@:+.]*$/;
const PLAIN_TOKEN = /^[A-Za-z0-9\-;@:+_]*$/;

export function encodeToken(text: string): string {
  if (PLAIN_TEXT.test(text)) return text.replaceAll('.', '_');
  let token = '';
  for (const char of text) {
    if (char === '.') token += '_';
    else if (PLAIN.test(char)) token += char;
    else
      for (const byte of new TextEncoder().encode(char))
        token += `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return token;
}

/** The string that {@link encodeToken} was given; undefined where `token` is none of its results. */
export function decodeToken(token: string): string | undefined {
  if (PLAIN_TOKEN.test(token)) return token.replaceAll('_', '.');
  const bytes: number[] = [];
  for (let i = 0; i < token.length; i += 1) {
    const char = token.charAt(i);
    if (char === '_') bytes.push(0x2e);
    else if (char === '=') {
      const hex = token.slice(i + 1, i + 3);
      if (!/^[0-9A-F]{2}$/.test(hex)) return undefined;
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else if (PLAIN.test(char)) bytes.push(char.charCodeAt(0));
    else return undefined;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}
