import { z } from 'zod';

/** Which program runs a call, and in which version: what another worker must have to go on with it. */
export const programVersionSchema = z.object({ name: z.string(), version: z.string() });

export type ProgramVersion = z.infer<typeof programVersionSchema>;
