/** Deeper than any AI's account of what it used. */
const MAX_DEPTH = 3;

/**
 * The numbers in what an AI says it has used, under its own names: `{ input_tokens: 8, input_token_details: { audio_tokens: 5 } }` is
 * `{ inputTokens: 8, inputTokenDetailsAudioTokens: 5 }`.
 */
export function countsOf(usage: Readonly<Record<string, unknown>>, prefix = '', depth = 1): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [name, value] of Object.entries(usage)) {
    const path = prefix ? `${prefix}_${name}` : name;
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) counts[camelCase(path)] = value;
    else if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < MAX_DEPTH)
      Object.assign(counts, countsOf(value as Record<string, unknown>, path, depth + 1));
  }
  return counts;
}

function camelCase(path: string): string {
  return path.replace(/_+([a-zA-Z])/g, (_, letter: string) => letter.toUpperCase());
}
