import { Refusal } from './answer.ts';

/** Parameters of a request: of its query, and of its body, which Asterisk takes alike. */
export class Parameters {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(query: Readonly<Record<string, string>>, body: unknown) {
    this.#values = typeof body === 'object' && body !== null ? { ...query, ...body } : query;
  }

  /** All of them. */
  get all(): Readonly<Record<string, unknown>> {
    return this.#values;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
  }

  /** @throws Refusal 400 it is missing, or empty */
  required(name: string, message: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw new Refusal(400, message);
    return value;
  }

  number(name: string, otherwise: number): number {
    const value = Number(this.text(name) ?? otherwise);
    return Number.isFinite(value) ? value : otherwise;
  }

  isTrue(name: string): boolean {
    const value = this.#values[name];
    return value === true || value === 'true' || value === 'yes' || value === '1';
  }

  /** Separated by commas, or a list in the body. */
  list(name: string): string[] {
    const value = this.#values[name];
    if (Array.isArray(value)) return value.map(String);
    return typeof value === 'string' && value !== '' ? value.split(',') : [];
  }

  variables(): Record<string, string> {
    const { variables } = this.#values;
    if (typeof variables !== 'object' || variables === null) return {};
    return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value)]));
  }
}
