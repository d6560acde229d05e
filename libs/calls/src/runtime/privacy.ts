import type { Operation } from './operation.ts';

/** Something of a call that keeps, or passes on, what the caller says or presses. */
export interface PrivacyMember {
  /** Stops that, or goes on. Nothing that is over throws. */
  setPrivate(operation: Operation, on: boolean): Promise<void>;
}

/** Whether what is said and pressed in a call is to be kept from all but its program. */
export class Privacy {
  readonly #members = new Set<PrivacyMember>();
  #depth = 0;

  get on(): boolean {
    return this.#depth > 0;
  }

  /** As the program has been told. @returns whether that changed it */
  enter(): boolean {
    this.#depth += 1;
    return this.#depth === 1;
  }

  /** @returns whether that changed it */
  leave(): boolean {
    this.#depth -= 1;
    return this.#depth === 0;
  }

  /** @returns leaves */
  join(member: PrivacyMember): () => void {
    this.#members.add(member);
    return () => this.#members.delete(member);
  }

  /** Rejects when any of them may go on: then it is not private. */
  async tell(operation: Operation, on: boolean): Promise<void> {
    await Promise.all([...this.#members].map((member) => member.setPrivate(operation, on)));
  }
}
