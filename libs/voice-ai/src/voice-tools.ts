import { z } from 'zod';

/** What an AI may ask the call program to do: the option `tools`. */
export const voiceTools = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
      /** When to use it: the AI decides by this. */
      description: z.string(),
      /** A JSON schema of its arguments. */
      parameters: z.record(z.string(), z.unknown()).default({ type: 'object', properties: {} }),
    }),
  )
  .max(128)
  .default([]);

/** Arguments as an AI sends them, which is now and then no JSON: a program can do nothing with that but see that there are none. */
export function toolArguments(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json || '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : { value };
  } catch {
    return {};
  }
}
