const CLASSES: Readonly<Record<string, string>> = { X: '[0-9]', Z: '[1-9]', N: '[2-9]', '.': '.+', '!': '.*' };

/**
 * Does a dialled extension fit a pattern as Asterisk's dialplan means it? Exact, or after "_": X 0-9, Z 1-9, N 2-9,
 * [15-7] one of these, "." one character or more, "!" any number, and "-" to be read over.
 */
export function matchesExtension(pattern: string, extension: string): boolean {
  if (!pattern.startsWith('_')) return pattern === extension;
  const source = pattern
    .slice(1)
    .replace(/\[([^\]]*)\]|(.)/g, (_, set: string | undefined, char: string | undefined) => {
      if (set !== undefined) return `[${set.replace(/[\\\]^]/g, '\\$&')}]`;
      if (char === undefined || char === '-') return '';
      return CLASSES[char.toUpperCase()] ?? char.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    });
  return new RegExp(`^${source}$`).test(extension);
}
