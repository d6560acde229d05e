/** Which HTTP server is at a url that has no ARI. */
interface HttpServer {
  readonly isAsterisk: boolean;
  /** What it calls itself. */
  readonly server?: string;
  /** http.conf's prefix, where it is the one in Asterisk's own sample. */
  readonly prefix?: string;
}

const SAMPLE_PREFIX = 'asterisk';

export async function whoAnswers(url: string, limitMs: number): Promise<HttpServer> {
  try {
    const signal = AbortSignal.timeout(limitMs);
    const { origin } = new URL(url);
    const [root, prefixed] = await Promise.all([
      fetch(`${origin}/`, { signal, redirect: 'manual' }),
      fetch(`${origin}/${SAMPLE_PREFIX}/ari/asterisk/info`, { signal, redirect: 'manual' }),
    ]);
    const server = root.headers.get('server') ?? undefined;
    const page = (await root.text()).slice(0, 10_000);
    await prefixed.body?.cancel();
    return {
      isAsterisk: /asterisk/i.test(server ?? '') || /<address>Asterisk/.test(page),
      ...(server !== undefined && { server }),
      // Without a password ARI asks for one: in JSON, as no other server does.
      ...(prefixed.status === 401 && isJson(prefixed) && { prefix: SAMPLE_PREFIX }),
    };
  } catch {
    return { isAsterisk: false };
  }
}

function isJson(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('application/json') === true;
}
