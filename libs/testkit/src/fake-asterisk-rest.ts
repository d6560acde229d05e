import { randomBytes } from 'node:crypto';
/** A request to ARI, whichever way it came. */
export interface FakeRequest {
  readonly method: string;
  /** Below /ari/, ids still percent-encoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface FakeAnswer {
  readonly status: number;
  readonly reason: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

interface Resource {
  readonly id: string;
}

const VERSION = '22.10.1';

/** What a fake Asterisk answers: it knows its channels and bridges, and carries out nothing. */
export class FakeRest {
  readonly channels = new Map<string, Resource>();
  readonly bridges = new Map<string, Resource>();
  /** How many requests came, by method and path without ids: `POST channels/answer`. */
  readonly requests = new Map<string, number>();
  /** Of this one alone, as gateways demand it. */
  readonly entityId = [2, ...randomBytes(5)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
  readonly #isRegistered: (application: string) => boolean;

  constructor(isRegistered: (application: string) => boolean) {
    this.#isRegistered = isRegistered;
  }

  answer(request: FakeRequest): FakeAnswer {
    const [kind = '', id, ...rest] = request.path.split('/').map(decodeURIComponent);
    const what = [request.method, [kind, ...rest].join('/')].join(' ');
    this.requests.set(what, (this.requests.get(what) ?? 0) + 1);
    switch (kind) {
      case 'asterisk':
        return this.#answerSystem(id);
      case 'applications':
        return this.#answerApplication(request.method, id);
      case 'channels':
        return answerResource(request.method, this.channels, id, rest, 'Channel not found');
      case 'bridges':
        return answerResource(request.method, this.bridges, id, rest, 'Bridge not found');
      default:
        return notFound('Resource not found');
    }
  }

  #answerSystem(what: string | undefined): FakeAnswer {
    if (what === 'ping') return ok({ asterisk_id: this.entityId, ping: 'pong', timestamp: '' });
    if (what === 'info') return ok({ system: { version: VERSION, entity_id: this.entityId } });
    return notFound('Resource not found');
  }

  #answerApplication(method: string, name: string | undefined): FakeAnswer {
    const empty = { channel_ids: [], bridge_ids: [], endpoint_ids: [], device_names: [] };
    if (name === undefined) return ok([]);
    if (!this.#isRegistered(name)) return notFound('Application not found');
    return method === 'GET' || method === 'PUT' || method === 'POST' ? ok({ name, ...empty }) : done();
  }
}

function answerResource(
  method: string,
  resources: ReadonlyMap<string, Resource>,
  id: string | undefined,
  [action]: readonly string[],
  missing: string,
): FakeAnswer {
  if (id === undefined) return ok([...resources.values()]);
  const found = resources.get(id);
  if (!found) return notFound(missing);
  if (method !== 'GET') return done();
  return ok(action === 'variable' ? { value: '' } : found);
}

const ok = (body: unknown): FakeAnswer => ({ status: 200, reason: 'OK', body });
const done = (): FakeAnswer => ({ status: 204, reason: 'No Content' });
const notFound = (message: string): FakeAnswer => ({ status: 404, reason: 'Not Found', body: { message } });
