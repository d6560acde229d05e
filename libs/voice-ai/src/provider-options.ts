import { z } from 'zod';
import { VoiceProviderError } from './errors.ts';

/** Checks a provider's options. @throws VoiceProviderError CF_PROVIDER_OPTIONS, which names each wrong one and all there are */
export function parseOptions<Shape extends z.ZodRawShape>(
  provider: string,
  shape: Shape,
  options: unknown,
): z.output<z.ZodObject<Shape, z.core.$strict>> {
  const result = z.strictObject(shape).safeParse(options);
  if (result.success) return result.data;
  const wrong = wrongIn(result.error);
  const accepted = Object.keys(shape).join(', ') || 'none';
  throw new VoiceProviderError(
    'CF_PROVIDER_OPTIONS',
    provider,
    `provider "${provider}" does not take these options: ${wrong} (accepted: ${accepted})`,
  );
}

/** Where something is wrong, and what. */
export function wrongIn({ issues }: z.core.$ZodError): string {
  return issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ');
}
