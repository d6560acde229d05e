import { type Child, type ChildExit, type ChildOptions, spawnChild } from '@callfleet/supervise';

/** A server that tests may kill and start again. */
export interface TestServer {
  /** Of the process that runs now; changes with restart(). */
  readonly pid: number;
  /** How the process that runs now ends, when it does. */
  readonly exited: Promise<ChildExit>;
  /** SIGKILL, as a crash. Its port and its data stay for {@link restart}. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with the data it left. Stops it first if it still runs. */
  restart(): Promise<void>;
  /** Stops it and removes all that it left. */
  stop(): Promise<void>;
}

/** The process of one server, and what is to be cleared away after it. */
export class ServerProcess implements TestServer {
  readonly #options: ChildOptions;
  readonly #cleanUp: () => Promise<void>;
  #child: Child;

  private constructor(options: ChildOptions, cleanUp: () => Promise<void>, child: Child) {
    this.#options = options;
    this.#cleanUp = cleanUp;
    this.#child = child;
  }

  static async start(options: ChildOptions, cleanUp: () => Promise<void>): Promise<ServerProcess> {
    try {
      return new ServerProcess(options, cleanUp, await spawnChild(options));
    } catch (error) {
      await cleanUp();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  get exited(): Promise<ChildExit> {
    return this.#child.exited;
  }

  async kill(): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }

  async restart(): Promise<void> {
    await this.#child.stop();
    this.#child = await spawnChild(this.#options);
  }

  async stop(): Promise<void> {
    await this.#child.stop();
    await this.#cleanUp();
  }
}
