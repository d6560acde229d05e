declare const responseBody: unique symbol;

export type AriMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** One REST request as a value: nothing is sent before an {@link AriRequester} gets it. */
export interface AriRequest<T> {
  readonly method: AriMethod;
  /** The path as a template, `/channels/{channelId}/play`: bounded, so fit for metrics and span names. */
  readonly route: string;
  /** `channels/1763700000.12/play`: relative to `/ari/`, ids percent-encoded. */
  readonly path: string;
  /** Not encoded: HTTP wants it percent-encoded, the socket as it is. */
  readonly query: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** The type of a 2xx answer's body. Exists for the compiler alone. */
  readonly [responseBody]?: T;
}

interface Sources {
  /** Names of the parameters that go into the query. */
  readonly query?: readonly string[];
  /** The parameter that is the body. */
  readonly body?: string;
  /** The parameter that the body holds under its name. */
  readonly bodyField?: string;
}

/** Builds a request; the parameters named in `route` go into the path. Undefined ones are left out. */
export function ariRequest<T>(
  method: AriMethod,
  route: string,
  params: Readonly<Record<string, unknown>> = {},
  sources: Sources = {},
): AriRequest<T> {
  const path = route.slice(1).replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
  const query: Record<string, string> = {};
  for (const name of sources.query ?? []) {
    const value = params[name];
    // Asterisk takes several values of one parameter as a list with commas.
    if (value !== undefined) query[name] = Array.isArray(value) ? value.join(',') : String(value);
  }
  const body = bodyOf(params, sources);
  return body === undefined ? { method, route, path, query } : { method, route, path, query, body };
}

function bodyOf(params: Readonly<Record<string, unknown>>, { body, bodyField }: Sources): unknown {
  if (body !== undefined) return params[body];
  if (bodyField === undefined || params[bodyField] === undefined) return undefined;
  return { [bodyField]: params[bodyField] };
}
