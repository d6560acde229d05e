import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A service ended before it was ready, or did not become ready in time. `lines` is the end of what it wrote. */
export class ServiceStartError extends Error {
  override readonly name = 'ServiceStartError';
  readonly code = 'CF_SERVICE_START';
  readonly lines: readonly string[];

  constructor(service: string, why: string, lines: readonly string[]) {
    super([`${service} ${why}`, ...lines.map((line) => `  ${line}`)].join('\n'));
    this.lines = lines;
  }
}

export interface ServiceProcessOptions {
  /** Shown to people: `gateway-1`. */
  readonly name: string;
  /** The service's `main.ts`. */
  readonly main: string;
  /** Laid over our own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (name: string, line: string) => void;
  /** Default 60 s: all of a fleet start at once, on a machine that may be slow. */
  readonly readyTimeoutMs?: number | undefined;
  /** From SIGTERM to SIGKILL. Default 40 s: a worker may drain. */
  readonly stopTimeoutMs?: number | undefined;
}

const LINES_KEPT = 20;

/** One Callfleet service in a process of its own. It stops by itself when we are gone: its channel to us closes. */
export class ServiceProcess {
  readonly name: string;
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  readonly #stopTimeoutMs: number;
  readonly #ready = Promise.withResolvers<void>();
  readonly #lines: string[] = [];

  private constructor(options: ServiceProcessOptions) {
    this.name = options.name;
    this.#stopTimeoutMs = options.stopTimeoutMs ?? 40_000;
    this.#child = fork(options.main, [], {
      env: { ...process.env, ...options.env, CALLFLEET_INSTANCE: options.name },
      // Ctrl-C at a terminal goes to the whole group; we stop our services in order instead.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream)
        createInterface({ input: stream }).on('line', (line) => {
          this.#lines.push(line);
          if (this.#lines.length > LINES_KEPT) this.#lines.shift();
          options.onLine(options.name, line);
        });
    this.#child.on('message', (message) => {
      if ((message as { state?: unknown }).state === 'RUNNING') this.#ready.resolve();
    });
    this.exited = new Promise((resolve) => {
      // `close` comes after the last line of output was read, `exit` may come before.
      this.#child.once('close', (code, signal) => {
        this.#ready.reject(new ServiceStartError(this.name, `ended (${signal ?? `exit code ${code}`})`, this.#lines));
        resolve(code ?? 128);
      });
    });
    this.#ready.promise.catch(() => {});
  }

  /** Starts it and waits until it is RUNNING. @throws ServiceStartError */
  static async start(options: ServiceProcessOptions): Promise<ServiceProcess> {
    const service = new ServiceProcess(options);
    const limitMs = options.readyTimeoutMs ?? 60_000;
    const timer = setTimeout(
      () =>
        service.#ready.reject(new ServiceStartError(service.name, `was not ready in ${limitMs} ms`, service.#lines)),
      limitMs,
    );
    try {
      await service.#ready.promise;
      return service;
    } catch (error) {
      await service.kill();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** SIGTERM, and SIGKILL if that is not enough. @returns the exit code */
  async stop(): Promise<number> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), this.#stopTimeoutMs);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }

  /** SIGKILL: as a crash. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}
