import { ServiceProcess, type ServiceProcessOptions } from './service-process.ts';

export type ServiceKind = 'ari-gateway' | 'call-worker' | 'media-relay';

export interface FleetOptions {
  /** callfleet.yaml, read by every service. */
  readonly configFile: string;
  /** Path of a service's `main.ts`. */
  readonly serviceMain: (kind: ServiceKind) => string;
  readonly gateways: number;
  readonly workers: number;
  /** The relays: their names, and what is theirs alone (environment over the configuration). */
  readonly relays: ReadonlyArray<{ readonly name: string; readonly env: Readonly<Record<string, string>> }>;
  /** The services' HTTP endpoints get ports from this one on: gateways first, then workers, then relays. */
  readonly httpPortFrom?: number | undefined;
  readonly onLine: (name: string, line: string) => void;
  /** A service ended without being asked to. */
  readonly onLost: (name: string, code: number) => void;
}

/** Gateways, workers and relays of one configuration, each a process of its own. */
export class Fleet {
  readonly gateways: readonly ServiceProcess[];
  readonly workers: readonly ServiceProcess[];
  readonly relays: readonly ServiceProcess[];
  #stopping = false;

  private constructor(
    services: Record<'gateways' | 'workers' | 'relays', readonly ServiceProcess[]>,
    options: FleetOptions,
  ) {
    this.gateways = services.gateways;
    this.workers = services.workers;
    this.relays = services.relays;
    for (const service of this.#all())
      void service.exited.then((code) => {
        if (!this.#stopping) options.onLost(service.name, code);
      });
  }

  /** Starts all at once; resolves when all are ready. If one fails, the others are stopped. @throws ServiceStartError */
  static async start(options: FleetOptions): Promise<Fleet> {
    let httpPort = options.httpPortFrom;
    const nextHttpPort = () => (httpPort === undefined ? {} : { CALLFLEET_TELEMETRY__HTTP__PORT: String(httpPort++) });
    const start = (kind: ServiceKind, name: string, env: ServiceProcessOptions['env'] = {}) =>
      ServiceProcess.start({
        name,
        main: options.serviceMain(kind),
        env: { CALLFLEET_CONFIG: options.configFile, ...nextHttpPort(), ...env },
        onLine: options.onLine,
      });
    const count = (n: number) => Array.from({ length: n }, (_, index) => index + 1);
    const gateways = count(options.gateways).map((n) => start('ari-gateway', `gateway-${n}`));
    const workers = count(options.workers).map((n) => start('call-worker', `worker-${n}`));
    const relays = options.relays.map(({ name, env }) => start('media-relay', name, env));

    const all = await Promise.allSettled([...gateways, ...workers, ...relays]);
    const failed = all.find((result) => result.status === 'rejected');
    if (failed) {
      await Promise.all(all.map((result) => (result.status === 'fulfilled' ? result.value.stop() : undefined)));
      throw failed.reason;
    }
    return new Fleet(
      { gateways: await Promise.all(gateways), workers: await Promise.all(workers), relays: await Promise.all(relays) },
      options,
    );
  }

  /** In the order in which calls leave: workers let theirs end, then relays, then the gateways that carried it out. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.workers.map((service) => service.stop()));
    await Promise.all(this.relays.map((service) => service.stop()));
    await Promise.all(this.gateways.map((service) => service.stop()));
  }

  #all(): ServiceProcess[] {
    return [...this.gateways, ...this.workers, ...this.relays];
  }
}
