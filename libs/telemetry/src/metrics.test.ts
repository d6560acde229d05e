import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { expect, test } from 'vitest';
import { eventMetrics } from './event-metrics.ts';
import { Health } from './health.ts';
import { startHealthMetrics } from './health-metrics.ts';
import { meter, startMetrics, Tally } from './metrics.ts';
import { startProcessMetrics } from './process-metrics.ts';

const resource = resourceFromAttributes({ 'service.name': 'callfleet-test' });
const reading = startMetrics(resource, {});

/** The samples of one metric: labels and value as they are written. */
async function samplesOf(name: string): Promise<string[]> {
  const lines = (await reading.scrape()).split('\n');
  return lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

test('an instrument made as its module loads counts, and says whose it is', async () => {
  meter.createCounter('callfleet.test.counted').add(2, { 'callfleet.pbx': 'pbx-a' });
  expect(await samplesOf('callfleet_test_counted_total')).toEqual([
    'callfleet_test_counted_total{callfleet_pbx="pbx-a"} 2',
  ]);
  expect(await samplesOf('target_info')).toEqual(['target_info{service_name="callfleet-test"} 1']);
});

test('a tally shows what it knows from the start, and counts on from scrape to scrape', async () => {
  const tally = new Tally('callfleet.test.tally', { description: '', unit: '1', attribute: 'callfleet.reason' }, ['a']);
  expect(await samplesOf('callfleet_test_tally_total')).toEqual(['callfleet_test_tally_total{callfleet_reason="a"} 0']);
  for (const reason of ['a', 'b', 'a']) tally.count(reason);
  const counted = [
    'callfleet_test_tally_total{callfleet_reason="a"} 2',
    'callfleet_test_tally_total{callfleet_reason="b"} 1',
  ];
  expect(await samplesOf('callfleet_test_tally_total')).toEqual(counted);
  expect(await samplesOf('callfleet_test_tally_total')).toEqual(counted);
});

test('a count by values that come without end has an end', async () => {
  const tally = new Tally('callfleet.test.endless', { description: '', unit: '1', attribute: 'callfleet.reason' });
  for (let n = 0; n < 1000; n += 1) tally.count(`type-${n}`);
  const samples = await samplesOf('callfleet_test_endless_total');
  expect(samples).toHaveLength(201);
  expect(samples).toContain('callfleet_test_endless_total{callfleet_reason="other"} 800');
});

test('state and checks are metrics', async () => {
  const health = new Health();
  startHealthMetrics(health);
  health.check('nats', () => undefined);
  health.check('redis', () => 'away');
  health.enter('DRAINING');
  const states = await samplesOf('callfleet_service_state');
  expect(states.filter((line) => line.endsWith(' 1'))).toEqual([
    'callfleet_service_state{callfleet_state="DRAINING"} 1',
  ]);
  expect(states).toHaveLength(6);
  expect(await samplesOf('callfleet_service_check')).toEqual([
    'callfleet_service_check{callfleet_check="nats"} 1',
    'callfleet_service_check{callfleet_check="redis"} 0',
  ]);
});

test('what happens to events is counted, by type', async () => {
  let held = 3;
  const counts = eventMetrics({ held: () => held, spill: { length: 2, bytes: 700 } });
  counts.onPublished('ari.StasisStart');
  expect(await samplesOf('callfleet_events_published_total')).toEqual([
    'callfleet_events_published_total{callfleet_event_type="ari.StasisStart"} 1',
  ]);
  expect(await samplesOf('callfleet_events_held')).toEqual(['callfleet_events_held 3']);
  expect(await samplesOf('callfleet_events_refused_total')).toEqual(['callfleet_events_refused_total 0']);
  expect(await samplesOf('callfleet_spill_events')).toEqual(['callfleet_spill_events 2']);
  expect(await samplesOf('callfleet_spill_size')).toEqual(['callfleet_spill_size 700']);
  held = 0;
  counts.onRefused();
  expect(await samplesOf('callfleet_events_held')).toEqual(['callfleet_events_held 0']);
  expect(await samplesOf('callfleet_events_refused_total')).toEqual(['callfleet_events_refused_total 1']);
});

test('an event loop that was held up says so', async () => {
  startProcessMetrics();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const until = performance.now() + 200;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const [max] = await samplesOf('nodejs_eventloop_delay_max');
  expect(Number(max?.split(' ')[1])).toBeGreaterThan(0.15);
  const [rss] = await samplesOf('process_memory_usage');
  expect(Number(rss?.split(' ')[1])).toBeGreaterThan(1e7);
});

test('with an endpoint, what is there goes out at the latest when the service stops', async () => {
  const bodies: string[] = [];
  const collector = createServer(async (request, response) => {
    bodies.push(`${request.method} ${request.url} ${await text(request)}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  const { port } = collector.address() as AddressInfo;
  const exporting = startMetrics(resource, { otlpEndpoint: `http://127.0.0.1:${port}` });
  meter.createCounter('callfleet.test.exported').add(1);
  await exporting.close();
  expect(bodies).toEqual([expect.stringMatching(/^POST \/v1\/metrics .*callfleet-test.*callfleet\.test\.exported/)]);
  expect(await samplesOf('callfleet_test_exported_total'), 'the endpoint is still there').toHaveLength(1);
  collector.closeAllConnections();
  collector.close();
});
