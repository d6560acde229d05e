/**
 * The life of a service's process:
 *
 * - `INITIALIZED`: it starts; its connections do not all stand yet.
 * - `RUNNING`: it does its work.
 * - `DRAINING`: it was asked to stop, or has failed: it takes nothing new, and hands over what it has.
 * - `DRAINED`: it has nothing in hand any more. Left out when not all could be handed over in time.
 * - `STOPPED`: it has ended as it was asked to. The last of a good end.
 * - `FAILED`: it has ended by an error. The last of a bad one.
 */
export type ServiceState = (typeof serviceStates)[number];

export const serviceStates = ['INITIALIZED', 'RUNNING', 'DRAINING', 'DRAINED', 'STOPPED', 'FAILED'] as const;

/** Why not, in words without secrets (`disconnected since 3 s`); undefined when nothing is missing. Cheap: asked often. */
export type Check = () => string | undefined;

export interface Readiness {
  readonly state: ServiceState;
  /** What keeps it from doing its work, each as `<check>: <why not>`. */
  readonly missing: readonly string[];
  /** What there is to say beside that, by name. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** How a service is: where it is in its life, and what it lacks. */
export class Health {
  readonly #checks = new Map<string, Check>();
  readonly #details = new Map<string, () => unknown>();
  #state: ServiceState = 'INITIALIZED';

  get state(): ServiceState {
    return this.#state;
  }

  enter(state: ServiceState): void {
    this.#state = state;
  }

  check(name: string, whyNot: Check): void {
    this.#checks.set(name, whyNot);
  }

  /** Told with the readiness, and no condition of it. */
  detail(name: string, read: () => unknown): void {
    this.#details.set(name, read);
  }

  /** Each check and why it fails, if it does. */
  *results(): Generator<[name: string, whyNot: string | undefined]> {
    for (const [name, whyNot] of this.#checks) yield [name, outcomeOf(whyNot)];
  }

  readiness(): Readiness {
    const missing: string[] = [];
    for (const [name, whyNot] of this.results()) if (whyNot !== undefined) missing.push(`${name}: ${whyNot}`);
    const details = Object.fromEntries([...this.#details].map(([name, read]) => [name, read()]));
    return { state: this.#state, missing, details };
  }
}

/** What a check throws may hold anything, and is not told. */
function outcomeOf(whyNot: Check): string | undefined {
  try {
    return whyNot();
  } catch {
    return 'it could not be checked';
  }
}
