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
  const wrong = result.error.issues.map((issue) =>
    issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message,
  );
  const accepted = Object.keys(shape).join(', ') || 'none';
  throw new VoiceProviderError(
    'CF_PROVIDER_OPTIONS',
    provider,
    `provider "${provider}" does not take these options: ${wrong.join('; ')} (accepted: ${accepted})`,
  );
}
