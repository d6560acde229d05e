import { type OtlpReceiver, startOtlpReceiver } from '@callfleet/testkit';
import { vi } from 'vitest';
import { startTestFleet, type TestFleet, type TestFleetOptions } from './test-fleet.ts';

/** A fleet whose services tell a collector what they do. */
export interface TracedFleet extends TestFleet {
  readonly collector: OtlpReceiver;
}

/** `config.telemetry` is laid over what it takes to be collected. The test takes the environment back. */
export async function startTracedFleet({ config, ...options }: TestFleetOptions = {}): Promise<TracedFleet> {
  // Services inherit it: each call's spans are here soon, not in batches of 5 s.
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '100');
  const collector = await startOtlpReceiver();
  const telemetry = { level: 'warn', otlpEndpoint: collector.url, ...(config?.telemetry as object | undefined) };
  const system = await startTestFleet({ ...options, config: { ...config, telemetry } });
  return {
    ...system,
    collector,
    async stop() {
      await system.stop();
      await collector.stop();
    },
  };
}
