import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { CallBatches } from './call-batches.ts';
import { PbxSimError } from './errors.ts';
import type { SimulatedPbx } from './pbx.ts';
import { callsOrder, checked, endpointBehaviour, faultOrder } from './schemas.ts';

const HOST = '127.0.0.1';
const MOST_BODY_BYTES = 1024 * 1024;
const MOST_REPORTS_AT_ONCE = 1000;

const endpointOrder = endpointBehaviour.extend({ address: z.string().min(1) });
const page = z.object({ after: z.coerce.number().int().min(0).default(0) });

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Orders over HTTP, on loopback alone, for load generators and for tests in other languages. All bodies are JSON; what is wrong with
 * an order is answered 400 `{ code, message }`.
 */
export class ControlServer {
  readonly #pbx: SimulatedPbx;
  readonly #batches: CallBatches;
  readonly #server: Server;

  private constructor(pbx: SimulatedPbx) {
    this.#pbx = pbx;
    this.#batches = new CallBatches(pbx);
    this.#server = createServer((request, response) => {
      void this.#reply(request).then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
      });
    });
  }

  /** @param port 0: any that is free @throws what listening throws */
  static async start(pbx: SimulatedPbx, port: number): Promise<ControlServer> {
    const control = new ControlServer(pbx);
    control.#server.listen(port, HOST);
    await once(control.#server, 'listening');
    return control;
  }

  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #reply(request: IncomingMessage): Promise<Reply> {
    try {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://control');
      return await this.#carryOut(`${request.method} ${pathname}`, searchParams, await bodyOf(request));
    } catch (error) {
      if (error instanceof PbxSimError) return { status: 400, body: { code: error.code, message: error.message } };
      return { status: 500, body: { message: String(error) } };
    }
  }

  async #carryOut(what: string, search: URLSearchParams, body: unknown): Promise<Reply> {
    switch (what) {
      case 'GET /health':
        return ok({ pbx: this.#pbx.name, ari: this.#pbx.httpUrl });
      case 'GET /counters':
        return ok(this.#pbx.counts);
      case 'GET /leftovers':
        return ok(this.#pbx.leftovers);
      case 'POST /calls':
        return { status: 201, body: this.#batches.start(checked(callsOrder, body, 'calls')) };
      case 'GET /faults':
        return ok(this.#pbx.faults.settings);
      case 'PUT /faults':
        return ok(this.#pbx.faults.set(body));
      case 'POST /faults': {
        const order = checked(faultOrder, body, 'fault');
        await this.#pbx.fault(order);
        return ok(order);
      }
      case 'PUT /endpoints': {
        const { address, ...behaviour } = checked(endpointOrder, body, 'endpoint');
        this.#pbx.setEndpoint(address, behaviour);
        return ok({ address, ...behaviour });
      }
    }
    return this.#ofBatch(what, search);
  }

  #ofBatch(what: string, search: URLSearchParams): Reply {
    const found = /^(GET|DELETE) \/calls\/(\d+)(\/reports)?$/.exec(what);
    const number = Number(found?.[2]);
    if (found?.[3] && found[1] === 'GET') {
      const { after } = checked(page, Object.fromEntries(search), 'reports');
      const reports = this.#batches.reports(number, after, MOST_REPORTS_AT_ONCE);
      if (reports) return ok({ reports, next: after + reports.length });
    } else if (found) {
      const summary = found[1] === 'GET' ? this.#batches.summary(number) : this.#batches.hangUp(number);
      if (summary) return ok(summary);
    }
    return { status: 404, body: { message: `there is no ${what}` } };
  }
}

function ok(body: unknown): Reply {
  return { status: 200, body };
}

/** @throws PbxSimError */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BODY_BYTES)
      throw new PbxSimError('CF_PBX_SIM_BAD_INPUT', `a body has ${MOST_BODY_BYTES} bytes at most`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PbxSimError('CF_PBX_SIM_BAD_INPUT', `the body is no JSON: ${(error as Error).message}`);
  }
}
