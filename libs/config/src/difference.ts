/** Paths of what differs between two configurations, `gateway.claimTimeoutMs`; a list counts as one value. */
export function differingKeys(one: unknown, other: unknown, path = ''): string[] {
  if (!isSection(one) || !isSection(other)) return JSON.stringify(one) === JSON.stringify(other) ? [] : [path];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((key) => differingKeys(one[key], other[key], path === '' ? key : `${path}.${key}`));
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
