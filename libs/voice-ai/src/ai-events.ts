import { z } from 'zod';
import { VoiceProviderError } from './errors.ts';

type Shapes = Readonly<Record<string, z.ZodRawShape>>;

/** One of the events that are named in `S`, by its name in `Field`. */
export type EventOf<Field extends string, S extends Shapes> = {
  [Name in keyof S]: { readonly [F in Field]: Name } & z.output<z.ZodObject<S[Name]>>;
}[keyof S];

/**
 * Reads an AI's events: `shapes` has those that matter, by the name that stands in `field`. AIs add events and fields as they
 * like, so what is not named is passed over.
 */
export function eventReader<Field extends string, const S extends Shapes>(provider: string, field: Field, shapes: S) {
  const schemas = new Map(Object.entries(shapes).map(([name, shape]) => [name, z.object(shape)]));
  /** @throws VoiceProviderError CF_PROVIDER_PROTOCOL */
  return (message: unknown): EventOf<Field, S> | undefined => {
    const name = (message as Record<string, unknown> | null)?.[field];
    const schema = typeof name === 'string' ? schemas.get(name) : undefined;
    if (!schema) return undefined;
    const read = schema.safeParse(message);
    if (read.success) return { ...read.data, [field]: name } as EventOf<Field, S>;
    const wrong = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new VoiceProviderError('CF_PROVIDER_PROTOCOL', provider, `${provider} sent a "${name}" with ${wrong}`);
  };
}
