import { percentile } from '../measurement.ts';
import { tellVerdict } from '../verdict.ts';
import { measureAsteriskEvents } from './asterisk-events.ts';
import { measureGatewayEvents } from './gateway-events.ts';

const TARGETS = { eventsPerCoreSecond: 40_000, p99Ms: 20 };

/** `bench gateway`: events from ARI socket to JetStream. @returns the exit code */
export async function benchGateway({ check }: { check: boolean }): Promise<number> {
  const half = TARGETS.eventsPerCoreSecond / 2;
  console.log('callfleet: events of a simulated PBX');
  const fake = await measureGatewayEvents(half);
  console.log('callfleet: events of a real Asterisk');
  const real = await measureAsteriskEvents();
  const medianOf = (values: readonly number[]) => percentile(values, 0.5);
  const perMillion = medianOf(fake.rounds.map((round) => round.coreSecondsPerMillion));
  const quantile = (share: number) => medianOf(fake.latency.map(({ ms }) => percentile(ms, share)));
  const others = (rounds: readonly { othersCores: number }[]) =>
    `others took ${medianOf(rounds.map(({ othersCores }) => othersCores)).toFixed(2)} cores`;
  const rounds = `median of ${fake.rounds.length} rounds, all threads of the gateway's process`;
  const bytes = Math.round(medianOf(fake.rounds.map((round) => round.bytesPerEvent)));
  const at = `at ${half}/s, socket write to JetStream consumer, median of ${fake.latency.length} rounds; ${others(fake.latency)}`;
  return tellVerdict(
    'bench gateway',
    [
      {
        what: 'events per core-second',
        target: { atLeast: TARGETS.eventsPerCoreSecond },
        value: 1e6 / perMillion,
        unit: '/s',
        how: `${bytes}-byte events, ${rounds}`,
      },
      { what: 'core-seconds per million events', value: perMillion, unit: 's', how: rounds },
      {
        what: 'events per second on the clock',
        value: medianOf(fake.rounds.map((round) => round.perSecond)),
        unit: '/s',
        how: `with PBX, NATS and bench on the same machine; ${others(fake.rounds)}`,
      },
      { what: 'latency p50', value: quantile(0.5), unit: 'ms', how: at },
      { what: 'latency p99', target: { atMost: TARGETS.p99Ms }, value: quantile(0.99), unit: 'ms', how: at },
      { what: 'events lost', target: { atMost: 0 }, value: fake.lost, unit: '', how: 'sent and not in the stream' },
      {
        what: 'real Asterisk: events per second',
        value: real.perSecond,
        unit: '/s',
        how: 'user events on 20 calls over one socket, all it sent on this machine',
      },
      {
        what: 'real Asterisk: core-seconds of the gateway per million',
        value: (real.coreSeconds.gateway / real.events) * 1e6,
        unit: 's',
        how: `Asterisk itself took ${Math.round((real.coreSeconds.pbx / real.events) * 1e6)} s`,
      },
      { what: 'real Asterisk: events lost', target: { atMost: 0 }, value: real.lost, unit: '', how: 'as above' },
    ],
    { raw: { fake, real }, check },
  );
}
