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
  readonly gateways: ServiceProcess[];
  readonly workers: ServiceProcess[];
  readonly relays: ServiceProcess[];
  readonly #options: FleetOptions;
  #stopping = false;

  private constructor(services: Record<'gateways' | 'workers' | 'relays', ServiceProcess[]>, options: FleetOptions) {
    this.gateways = services.gateways;
    this.workers = services.workers;
    this.relays = services.relays;
    this.#options = options;
    for (const service of this.#all()) this.#watch(service);
  }

  /** Starts all at once; resolves when all are ready. If one fails, the others are stopped. @throws ServiceStartError */
  static async start(options: FleetOptions): Promise<Fleet> {
    let httpPort = options.httpPortFrom;
    const nextHttpPort = () => (httpPort === undefined ? {} : { CALLFLEET_TELEMETRY__HTTP__PORT: String(httpPort++) });
    const start = (kind: ServiceKind, name: string, env = {}) =>
      startService(options, kind, name, { ...nextHttpPort(), ...env });
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

  /** One more gateway; in the place of one that died. @throws ServiceStartError */
  async addGateway(name: string): Promise<ServiceProcess> {
    const gateway = await startService(this.#options, 'ari-gateway', name, {});
    this.gateways.push(gateway);
    this.#watch(gateway);
    return gateway;
  }

  /** One more relay, in place of one that is gone: of its zone, on its ports. @throws ServiceStartError */
  async replaceRelay(gone: string, name: string): Promise<ServiceProcess> {
    const plan = this.#options.relays.find((one) => one.name === gone);
    if (!plan) throw new Error(`there is no relay ${gone}`);
    const relay = await startService(this.#options, 'media-relay', name, plan.env);
    this.relays.push(relay);
    this.#watch(relay);
    return relay;
  }

  /** One more worker. @param env what is its alone (environment over the configuration) @throws ServiceStartError */
  async addWorker(name: string, env: ServiceProcessOptions['env']): Promise<ServiceProcess> {
    const worker = await startService(this.#options, 'call-worker', name, env);
    this.workers.push(worker);
    this.#watch(worker);
    return worker;
  }

  /** In the order in which calls leave: workers let theirs end, then relays, then the gateways that carried it out. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.workers.map((service) => service.stop()));
    await Promise.all(this.relays.map((service) => service.stop()));
    await Promise.all(this.gateways.map((service) => service.stop()));
  }

  #watch(service: ServiceProcess): void {
    void service.exited.then((code) => {
      if (!this.#stopping) this.#options.onLost(service.name, code);
    });
  }

  #all(): ServiceProcess[] {
    return [...this.gateways, ...this.workers, ...this.relays];
  }
}

function startService(
  { serviceMain, configFile, onLine }: FleetOptions,
  kind: ServiceKind,
  name: string,
  env: ServiceProcessOptions['env'],
): Promise<ServiceProcess> {
  return ServiceProcess.start({
    name,
    main: serviceMain(kind),
    env: { CALLFLEET_CONFIG: configFile, ...env },
    onLine,
  });
}
