import { Refusal } from './answer.ts';

export interface EventFilter {
  readonly allowed: ReadonlySet<string>;
  readonly disallowed: ReadonlySet<string>;
}

export const NO_FILTER: EventFilter = { allowed: new Set(), disallowed: new Set() };

export function passes({ allowed, disallowed }: EventFilter, type: string): boolean {
  return !disallowed.has(type) && (allowed.size === 0 || allowed.has(type));
}

/** Of the body of `PUT /applications/{name}/eventFilter`. @throws Refusal */
export function eventFilterOf(body: Readonly<Record<string, unknown>>): EventFilter {
  return { allowed: typesIn(body.allowed, 'allowed'), disallowed: typesIn(body.disallowed, 'disallowed') };
}

function typesIn(list: unknown, name: string): ReadonlySet<string> {
  if (list === undefined) return new Set();
  if (!Array.isArray(list)) throw new Refusal(400, `'${name}' is not an array`);
  return new Set(
    list.map((one) => {
      const { type } = one as { type?: unknown };
      if (typeof type !== 'string') throw new Refusal(400, 'Filter type must be a string');
      return type;
    }),
  );
}
