/** What ARI answers, whichever way it was asked. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** Sent as JSON; undefined: no body. */
  readonly body?: unknown;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  422: 'Unprocessable Entity',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

export const NO_CONTENT: Answer = { status: 204, reason: 'No Content' };

export function ok(body: unknown): Answer {
  return { status: 200, reason: 'OK', body };
}

export function created(body: unknown): Answer {
  return { status: 201, reason: 'Created', body };
}

export function refused(status: number, message: string, reason = REASONS[status] ?? 'Error'): Answer {
  return { status, reason, body: { message } };
}

/** Thrown where a request can't be carried out; becomes its answer. */
export class Refusal extends Error {
  readonly answer: Answer;

  constructor(status: number, message: string, reason?: string) {
    super(message);
    this.answer = refused(status, message, reason);
  }
}
