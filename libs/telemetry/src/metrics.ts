import { type Attributes, type Meter, metrics, type ObservableGauge, type ObservableResult } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { Resource } from '@opentelemetry/resources';
import {
  type CollectionResult,
  MeterProvider,
  MetricReader,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';

const EXPORT_EVERY_MS = 15_000;

/** Cumulative, so that any number of readers may ask. */
class Collector extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

// A meter of the API does nothing for ever when it was taken before its provider stood, and modules take theirs as they
// load. So the provider stands first; whose metrics they are is added as they are read.
const collector = new Collector();
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [collector] }));

export const meter: Meter = metrics.getMeter('callfleet');

export interface MetricsOptions {
  /** Base URL of an OTLP/HTTP receiver (`http://collector:4318`). Without it metrics are only given to who asks. */
  otlpEndpoint?: string | undefined;
}

/** The metrics of this process, to be read. */
export interface MetricsReading {
  /** In Prometheus's text format. */
  scrape(): Promise<string>;
  /** Sends the last ones, then stops. */
  close(): Promise<void>;
}

/** Gives the process's metrics its name, and exports them every 15 s where there is an endpoint. */
export function startMetrics(resource: Resource, { otlpEndpoint }: MetricsOptions): MetricsReading {
  const collect = async (): Promise<CollectionResult> => {
    const { resourceMetrics, errors } = await collector.collect();
    return { resourceMetrics: { ...resourceMetrics, resource }, errors };
  };
  const serializer = new PrometheusSerializer('', false, undefined, false, true);
  let scraping: Promise<string> | undefined;
  const exporting = otlpEndpoint ? exportEvery(EXPORT_EVERY_MS, otlpEndpoint, collect) : undefined;
  return {
    // However many ask at once, the work is done once.
    scrape() {
      scraping ??= collect()
        .then(({ resourceMetrics }) => serializer.serialize(resourceMetrics))
        .finally(() => {
          scraping = undefined;
        });
      return scraping;
    },
    close: async () => exporting?.shutdown(),
  };
}

function exportEvery(ms: number, endpoint: string, collect: () => Promise<CollectionResult>): MetricReader {
  const exporter = new OTLPMetricExporter({ url: new URL('/v1/metrics', endpoint).href });
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: ms });
  reader.setMetricProducer({ collect });
  return reader;
}

const MOST_VALUES = 200;
const OTHER = 'other';

/**
 * A counter for hot paths, by one attribute: an event costs a number in a map, and the metric is made when somebody asks.
 * The attribute's values must be few: they are kept for ever. What comes beyond {@link MOST_VALUES} is counted as `other`.
 */
export class Tally {
  readonly #counts = new Map<string, { readonly attributes: Attributes; count: number }>();
  readonly #attribute: string;

  /** @param known values that are shown from the start, with 0: a rate needs the count before the first event */
  constructor(
    name: string,
    options: { description: string; unit: string; attribute: string },
    known: readonly string[] = [],
  ) {
    this.#attribute = options.attribute;
    for (const value of known) this.#entry(value);
    meter.createObservableCounter(name, options).addCallback((result) => this.#observe(result));
  }

  count(value: string): void {
    this.#entry(value).count += 1;
  }

  #entry(value: string): { readonly attributes: Attributes; count: number } {
    let entry = this.#counts.get(value);
    if (!entry) {
      if (this.#counts.size >= MOST_VALUES && value !== OTHER) return this.#entry(OTHER);
      entry = { attributes: { [this.#attribute]: value }, count: 0 };
      this.#counts.set(value, entry);
    }
    return entry;
  }

  #observe(result: ObservableResult): void {
    for (const { attributes, count } of this.#counts.values()) result.observe(count, attributes);
  }
}

export interface GaugeDescription {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
}

/** Gauges that are read together, from one look at what they tell of, when somebody asks. True is 1, false is 0. */
export function watchGauges<G extends string>(
  gauges: Readonly<Record<G, GaugeDescription>>,
  read: (observe: (gauge: G, value: number | boolean, attributes?: Attributes) => void) => void,
): void {
  const made = new Map<G, ObservableGauge>();
  for (const [key, { name, ...options }] of Object.entries<GaugeDescription>(gauges))
    made.set(key as G, meter.createObservableGauge(name, options));
  meter.addBatchObservableCallback(
    (result) =>
      read((gauge, value, attributes) => {
        const one = made.get(gauge);
        if (one) result.observe(one, Number(value), attributes);
      }),
    [...made.values()],
  );
}
