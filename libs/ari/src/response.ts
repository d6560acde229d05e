import { AriRefusedError } from './errors.ts';
import type { AriMethod, AriRequest } from './request.ts';

interface Answered {
  readonly status: number;
  /** The reason phrase, "No Content". */
  readonly reason: string;
  readonly method: AriMethod;
  /** A template, fit for logs and metrics. */
  readonly route: string;
  /** The Asterisk's address, without credentials. */
  readonly url: string;
}

/** What Asterisk answered. A refusal (4xx, 5xx) is an answer too, not an error: see {@link expectOk}. */
export type AriResponse<T> =
  | (Answered & { readonly ok: true; readonly body: T })
  | (Answered & {
      readonly ok: false;
      /** What Asterisk says of it, "Channel not found"; the reason phrase where it says nothing. */
      readonly refusal: string;
      readonly body: unknown;
    });

/** The body of a 2xx answer. @throws AriRefusedError for any other */
export function expectOk<T>(response: AriResponse<T>): T {
  if (response.ok) return response.body;
  throw new AriRefusedError(response);
}

/** An answer as it came, with its body parsed; for 2xx the body is taken to be of the documented type. */
export function ariResponse<T>(
  { method, route }: AriRequest<T>,
  answer: { url: string; status: number; reason: string; body: unknown },
): AriResponse<T> {
  const { url, status, reason, body } = answer;
  const common = { url, status, reason, method, route };
  if (status >= 200 && status < 300) return { ...common, ok: true, body: body as T };
  return { ...common, ok: false, body, refusal: messageIn(body) ?? reason };
}

function messageIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('message' in body)) return undefined;
  return typeof body.message === 'string' ? body.message : undefined;
}
