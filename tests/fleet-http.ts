import type { LocalFleetOptions } from '@callfleet/testkit';
import { startTestFleet, type TestFleet } from './test-fleet.ts';

/** A fleet whose processes can be asked over HTTP, by their names (`worker-1`). */
export interface HttpFleet extends TestFleet {
  readonly names: readonly string[];
  /** `host:port` where it answers. */
  addressOf(name: string): string;
  get(name: string, path: string): Promise<Response>;
  readyz(name: string): Promise<{ status: number; state: string; missing: string[] }>;
  /** The worker that has the one call there is. */
  workerWithCall(): Promise<TestFleet['fleet']['workers'][number]>;
  metrics(names?: readonly string[]): Promise<Metrics>;
}

export async function startHttpFleet(
  config: Readonly<Record<string, unknown>> = {},
  options: Partial<LocalFleetOptions> = {},
): Promise<HttpFleet> {
  const telemetry = { level: 'info', http: { port: 0 } };
  const system = await startTestFleet({ ...options, config: { telemetry, ...config } });
  const ports = new Map<string, number>();
  for (const line of system.complaints) {
    const [, name, port] = /^(\S+): .*"port":(\d+),"msg":"http\.listening"/.exec(line) ?? [];
    if (name) ports.set(name, Number(port));
  }
  const addressOf = (name: string) => `127.0.0.1:${ports.get(name)}`;
  const get = (name: string, path: string) => fetch(`http://${addressOf(name)}${path}`);
  const names = [...ports.keys()];
  const metrics = async (of = names) =>
    new Metrics(await Promise.all(of.map(async (name) => (await get(name, '/metrics')).text())));
  return {
    ...system,
    names,
    addressOf,
    get,
    async readyz(name) {
      const answer = await get(name, '/readyz');
      const { state, missing } = (await answer.json()) as { state: string; missing: string[] };
      return { status: answer.status, state, missing };
    },
    async workerWithCall() {
      for (const worker of system.fleet.workers)
        if ((await metrics([worker.name])).sum('callfleet_worker_calls') === 1) return worker;
      throw new Error('no worker has exactly one call');
    },
    metrics,
  };
}

interface Family {
  readonly type: string;
  unit: string;
  readonly labels: Set<string>;
}

/** What several processes answered to `/metrics`, taken together. */
export class Metrics {
  readonly families = new Map<string, Family>();
  readonly #samples: Array<{ name: string; labels: Record<string, string>; value: number }> = [];

  constructor(texts: readonly string[]) {
    for (const text of texts) this.#read(text);
  }

  /** The sum of the samples that have these labels. */
  sum(name: string, labels: Record<string, string> = {}): number {
    const wanted = Object.entries(labels);
    return this.#samples
      .filter((sample) => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value))
      .reduce((sum, { value }) => sum + value, 0);
  }

  #read(text: string): void {
    let unit = '';
    let family: Family | undefined;
    for (const line of text.split('\n')) {
      const [, kind, name = '', rest = ''] = /^# (HELP|UNIT|TYPE) (\S+) (.*)$/.exec(line) ?? [];
      if (kind === 'HELP') unit = '';
      else if (kind === 'UNIT') unit = rest;
      else if (kind === 'TYPE') {
        family = this.families.get(name) ?? { type: rest, unit, labels: new Set() };
        this.families.set(name, family);
      } else {
        const sample = /^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
        if (!sample) continue;
        const labels = Object.fromEntries(
          [...(sample[2] ?? '').matchAll(/([a-z0-9_]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
        ) as Record<string, string>;
        for (const key of Object.keys(labels)) family?.labels.add(key);
        this.#samples.push({ name: sample[1] ?? '', labels, value: Number(sample[3]) });
      }
    }
  }
}
