import { type Answer, Refusal, refused } from './answer.ts';
import { Parameters } from './parameters.ts';

/** A request to ARI, whichever way it came. */
export interface RestRequest {
  readonly method: string;
  /** Below /ari/, ids still percent-encoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export type Ids = Readonly<Record<string, string>>;
type Handler = (ids: Ids, parameters: Parameters) => Answer | Promise<Answer>;
/** By method and path: `POST channels/{channelId}/answer`. */
export type Routes = Readonly<Record<string, Handler>>;

interface Route {
  readonly method: string;
  readonly name: string;
  readonly segments: readonly string[];
  readonly handler: Handler;
}

/** What ARI has; where we have not, it is said so, and counted. */
const RESOURCES = new Set([
  ...['applications', 'asterisk', 'bridges', 'channels', 'deviceStates', 'endpoints', 'events', 'mailboxes'],
  ...['playbacks', 'recordings', 'sounds'],
]);

const MOST_UNKNOWN = 100;

/** Finds who answers a request. */
export class RestRoutes {
  /** By number of segments; those with names before those with ids. */
  readonly #bySegments = new Map<number, Route[]>();
  /** Requests, by route. */
  readonly requests = new Map<string, number>();
  /** Requests that ARI has and the simulated PBX has not; the first hundred different ones. */
  readonly notSimulated = new Map<string, number>();
  /** Answers of 400 and more. */
  refusals = 0;

  constructor(routes: Routes) {
    for (const [name, handler] of Object.entries(routes)) {
      const [method = '', path = ''] = name.split(' ');
      const segments = path.split('/');
      const others = this.#bySegments.get(segments.length) ?? [];
      others.push({ method, name, segments, handler });
      this.#bySegments.set(segments.length, others);
    }
    for (const those of this.#bySegments.values()) those.sort((a, b) => idsIn(a) - idsIn(b));
  }

  answer(request: RestRequest): Answer | Promise<Answer> {
    const segments = request.path.split('/');
    const fitting = this.#bySegments.get(segments.length)?.filter((route) => fits(route, segments)) ?? [];
    const route = fitting.find(({ method }) => method === request.method);
    if (!route) return this.#nobodyAnswers(request, fitting.length > 0);
    this.requests.set(route.name, (this.requests.get(route.name) ?? 0) + 1);
    try {
      const answer = route.handler(idsOf(route, segments), new Parameters(request.query, request.body));
      return answer instanceof Promise ? answer.catch((error) => this.#refusalOf(error)) : answer;
    } catch (error) {
      return this.#refusalOf(error);
    }
  }

  #nobodyAnswers({ method, path }: RestRequest, isOtherMethod: boolean): Answer {
    this.refusals += 1;
    const [resource = '', ...rest] = path.split('/');
    if (!RESOURCES.has(resource)) return refused(404, 'Resource not found');
    const what = `${method} ${[resource, ...rest.map((one, n) => (n % 2 === 0 ? '{id}' : one))].join('/')}`;
    if (this.notSimulated.has(what) || this.notSimulated.size < MOST_UNKNOWN)
      this.notSimulated.set(what, (this.notSimulated.get(what) ?? 0) + 1);
    if (isOtherMethod) return refused(405, 'Invalid method');
    return refused(501, `The simulated PBX has no ${method} ${path}`);
  }

  #refusalOf(error: unknown): Answer {
    if (!(error instanceof Refusal)) throw error;
    this.refusals += 1;
    return error.answer;
  }
}

function isId(segment: string): boolean {
  return segment.startsWith('{');
}

function idsIn({ segments }: Route): number {
  return segments.filter(isId).length;
}

function fits({ segments }: Route, path: readonly string[]): boolean {
  return segments.every((segment, n) => isId(segment) || segment === path[n]);
}

function idsOf({ segments }: Route, path: readonly string[]): Ids {
  const ids: Record<string, string> = {};
  segments.forEach((segment, n) => {
    if (isId(segment)) ids[segment.slice(1, -1)] = decodeURIComponent(path[n] as string);
  });
  return ids;
}
