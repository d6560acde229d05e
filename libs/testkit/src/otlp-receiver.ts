import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { type ReceivedSpan, spansOf } from './otlp-spans.ts';

/** Takes traces as an OpenTelemetry collector would, and keeps them. */
export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`; the protocol is `http/json`. */
  readonly url: string;
  /** All that came so far, in the order of arrival. */
  spans(): readonly ReceivedSpan[];
  /**
   * Waits for the first span of which this is true, among those that came already too. An exporter that batches sends its spans
   * seconds later (`OTEL_BSP_SCHEDULE_DELAY`).
   */
  waitFor(predicate: (span: ReceivedSpan) => boolean, timeoutMs: number): Promise<ReceivedSpan>;
  stop(): Promise<void>;
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** A trace receiver for OTLP over HTTP in JSON, on a free port of 127.0.0.1. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const received: ReceivedSpan[] = [];
  const server = createServer(async (request, response) => {
    const status = await take(request, received).catch(() => 400);
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => received,
    async waitFor(predicate, timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      for (let checked = 0; ; await sleep(10)) {
        for (; checked < received.length; checked += 1) {
          const span = received[checked] as ReceivedSpan;
          if (predicate(span)) return span;
        }
        if (performance.now() > deadline) {
          const names = [...new Set(received.map(({ service, name }) => `${service}: ${name}`))];
          throw new Error(`no such span within ${timeoutMs} ms; there were: ${names.join(', ') || 'none'}`);
        }
      }
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function take(request: IncomingMessage, received: ReceivedSpan[]): Promise<number> {
  // Metrics and logs, if they are sent here as well, are taken and dropped.
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return 413;
    chunks.push(chunk);
  }
  if (request.url !== '/v1/traces') return 200;
  if (!request.headers['content-type']?.startsWith('application/json')) return 415;
  const body = Buffer.concat(chunks);
  const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  received.push(...spansOf(JSON.parse(text.toString('utf8'))));
  return 200;
}
