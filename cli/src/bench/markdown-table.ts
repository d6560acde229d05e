/** A delimiter row needs so many. */
const NARROWEST = 3;

/** A table of plain text in Markdown, its columns as wide as what is in them: the form that the repository's checks ask of a page. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(plain));
  const widths = head.map((_, column) => Math.max(NARROWEST, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${widths.map((width, n) => (row[n] ?? '').padEnd(width)).join(' | ')} |`;
  const [titles = [], ...others] = cells;
  return [line(titles), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join('\n');
}

/** Text in which Markdown sees no mark-up. */
export function plain(text: string): string {
  return text.replace(/[\\|*_`<[\]]/g, '\\$&');
}
