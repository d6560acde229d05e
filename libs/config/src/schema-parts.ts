import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

/** An object that refuses keys it does not know, and says which it knows. */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  const accepted = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')}; accepted: ${accepted}`
        : undefined,
  });
}

export const milliseconds = z.int().min(1);
export const httpUrl = z.url({ protocol: /^https?$/, error: 'not an http:// or https:// URL' });

const MIB = 1024 * 1024;

/** Where events wait that NATS does not take. */
export const heldEvents = {
  /** Events held in memory while NATS is away; further ones go to disk. */
  maxHeldEvents: z.int().min(1).default(100_000),
  /** Where to; each process has a folder of its own in it. */
  spillFolder: z.string().min(1).default(join(tmpdir(), 'callfleet')),
  /** How much of them; at this bound the newest event is refused. */
  maxSpillBytes: z
    .int()
    .min(16 * MIB)
    .default(1024 * MIB),
};

/** Refuses the items of a list that have what another has. */
export function unique<K extends string>(key: K) {
  return (items: ReadonlyArray<Record<K, string>>, context: z.RefinementCtx) => {
    for (const [index, item] of items.entries()) {
      const first = items.findIndex((other) => other[key] === item[key]);
      if (first < index)
        context.addIssue({
          code: 'custom',
          path: [index, key],
          message: `"${item[key]}" is taken by entry ${first}; each must be unique`,
        });
    }
  };
}
