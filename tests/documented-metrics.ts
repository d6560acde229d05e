import { readFileSync } from 'node:fs';

/** A line of docs/metrics.md, in Prometheus's words. */
export interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly labels: readonly string[];
}

const dotless = (name: string) => name.replaceAll('.', '_');

export function documentedMetrics(): DocumentedMetric[] {
  const text = readFileSync(new URL('../docs/metrics.md', import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const [, name = '', type = '', unit = '', labels = ''] = line.split('|').map((cell) => cell.trim());
      const words = [...labels.matchAll(/`([^`]+)`/g)].map(([, label]) => label as string);
      return {
        name: `${dotless(name.replaceAll('`', ''))}${type === 'counter' ? '_total' : ''}`,
        type,
        unit,
        labels: words.map(dotless).toSorted(),
      };
    });
}

/** What a query may name: series, and labels. */
export function knownNames(): Set<string> {
  return new Set(
    documentedMetrics().flatMap(({ name, type, labels }) => [
      ...(type === 'histogram' ? ['_bucket', '_count', '_sum'].map((part) => `${name}${part}`) : [name]),
      ...labels,
    ]),
  );
}

/** What of it is ours to know; `up`, `job`, `instance` and the like are Prometheus's. */
export function namesIn(query: string): string[] {
  return query.match(/\b(callfleet|nodejs|process|v8js|http)_[a-z0-9_]+/g) ?? [];
}
