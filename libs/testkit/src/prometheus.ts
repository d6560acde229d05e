import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInstanceFolder } from './instance-folder.ts';
import { part } from './parts.ts';
import { claimPort } from './port-claim.ts';
import { ServerProcess } from './server-process.ts';

export interface PrometheusOptions {
  /** `host:port` of what answers `/metrics`, by `job`. Asked each second. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
  /** Absolute paths of rule files. */
  readonly ruleFiles?: readonly string[];
}

/** One series of an answer, with its last value. */
interface PrometheusSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus {
  readonly url: string;
  /** @throws Error with Prometheus's words: it does not understand the query */
  query(expression: string): Promise<PrometheusSeries[]>;
  stop(): Promise<void>;
}

/** A real Prometheus. @throws PartsError: there is none on PATH, and none can be installed */
export async function startPrometheus({ targets, ruleFiles = [] }: PrometheusOptions): Promise<Prometheus> {
  const { command, args } = await part('prometheus');
  const port = await claimPort();
  const folder = await createInstanceFolder('prometheus');
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: Object.entries(targets).map(([job_name, targets]) => ({ job_name, static_configs: [{ targets }] })),
  };
  const configFile = join(folder.path, 'prometheus.yml');
  // JSON is YAML.
  await writeFile(configFile, JSON.stringify(config));
  const url = `http://127.0.0.1:${port}`;
  const server = await ServerProcess.start(
    {
      name: 'prometheus',
      command,
      args: [
        ...args,
        `--config.file=${configFile}`,
        `--storage.tsdb.path=${join(folder.path, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      ready: { line: (line) => line.includes('Server is ready to receive web requests') },
    },
    folder.remove,
  );
  return {
    url,
    async query(expression) {
      const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`);
      const { status, error, data } = (await response.json()) as Answer;
      if (status !== 'success' || !data) throw new Error(`${expression}: ${error}`);
      return data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
    },
    stop: () => server.stop(),
  };
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: { readonly metric: Record<string, string>; readonly value: [number, string] }[] };
}
