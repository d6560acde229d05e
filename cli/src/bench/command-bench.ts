import { AriSocket, channels, expectOk } from '@callfleet/ari';
import { announceWorker, ask, type Command, commandReplySchema, subjects } from '@callfleet/bus';
import { callIdOf } from '@callfleet/identity';
import { installParts } from '@callfleet/testkit';
import { percentile } from '../measurement.ts';
import { tellVerdict } from '../verdict.ts';
import { untilServed } from './gateway-events.ts';
import { startGatewayUnderTest } from './gateway-under-test.ts';
import { placeLiveCalls, startBenchAsterisk } from './live-calls.ts';
import { pacedRequests } from './paced-requests.ts';
import { watchCpu } from './process-cpu.ts';

const TARGETS = { p50Ratio: 1.5, p99Ms: 10 };
const PBX = 'pbx-a';
const SHARD = 'callfleet-1';
const WORKER = 'bench';
const CALLS = 20;
const PER_SECOND = 500;
const WARM_UP_MS = 3000;
const ROUNDS = 5;
/** Of each of the two ways, one after the other: both see the same machine. */
const ROUND_MS = 4000;
const BUS_MS = 2000;
const TIMEOUT_MS = 8000;

interface Round {
  readonly direct: readonly number[];
  readonly fleet: readonly number[];
  /** To the gateway's process and back, with nothing done there. */
  readonly bus: readonly number[];
}

/** `bench command`: a worker's command to its PBX and back, beside the same request sent directly. @returns the exit code */
export async function benchCommands({ check }: { check: boolean }): Promise<number> {
  await installParts((step) => console.log(`callfleet: ${step}`));
  const { rounds, coreSeconds, commands } = await measure();
  const p50 = (way: keyof Round) => rounds.map((round) => percentile(round[way], 0.5));
  const ratios = rounds.map(({ direct, fleet }) => percentile(fleet, 0.5) / percentile(direct, 0.5));
  const overhead = rounds.map(
    ({ direct, fleet, bus }) => percentile(fleet, 0.5) / (percentile(direct, 0.5) + percentile(bus, 0.5)),
  );
  const all = (way: keyof Round) => rounds.flatMap((round) => round[way]);
  const median = (values: readonly number[]) => percentile(values, 0.5);
  const how = `GET of a channel variable at ${PER_SECOND}/s, median of ${rounds.length} rounds`;
  const p99 = `${all('fleet').length} commands of all rounds`;
  return tellVerdict(
    'bench command',
    [
      {
        what: 'p50, times the direct p50',
        target: { atMost: TARGETS.p50Ratio },
        value: median(ratios),
        unit: '×',
        how: 'each round against the direct requests beside it',
      },
      { what: 'command p50', value: median(p50('fleet')), unit: 'ms', how },
      { what: 'direct p50', value: median(p50('direct')), unit: 'ms', how: 'REST over WebSocket, same channels' },
      {
        what: 'NATS alone p50',
        value: median(p50('bus')),
        unit: 'ms',
        how: "to the gateway's process and back: a message that it refuses at once",
      },
      {
        what: 'p50, times direct and NATS alone together',
        value: median(overhead),
        unit: '×',
        how: 'what the fleet adds to the way there and back',
      },
      {
        what: 'command p99',
        target: { atMost: TARGETS.p99Ms },
        value: percentile(all('fleet'), 0.99),
        unit: 'ms',
        how: p99,
      },
      { what: 'direct p99', value: percentile(all('direct'), 0.99), unit: 'ms', how: 'the same, directly' },
      {
        what: 'core-seconds of the gateway per million commands',
        value: (coreSeconds.gateway / commands) * 1e6,
        unit: 's',
        how: `NATS: ${Math.round((coreSeconds.nats / commands) * 1e6)} s`,
      },
    ],
    { raw: { rounds, coreSeconds, commands }, check },
  );
}

async function measure() {
  const pbx = await startBenchAsterisk(PBX, [SHARD]);
  const owned: Array<() => Promise<unknown>> = [() => pbx.stop()];
  try {
    const system = await startGatewayUnderTest([pbx], [SHARD]);
    owned.push(system.stop);
    const { bus } = system;
    await untilServed(bus, PBX, [SHARD]);
    const ids = await placeLiveCalls(pbx, CALLS);
    const channelOf = (n: number) => ids[n % ids.length] ?? '';

    // We are the worker that has the calls: as long as it answers, the gateway leaves them to it.
    const withdraw = announceWorker(bus, WORKER, { calls: CALLS, has: () => true });
    owned.push(async () => withdraw());
    const subject = subjects.commands(PBX, SHARD);
    const send = async (command: Command) => {
      const reply = await ask(bus, subject, command, { reply: commandReplySchema, timeoutMs: TIMEOUT_MS });
      if (!reply.ok || reply.status >= 400) throw new Error(`the gateway answered ${JSON.stringify(reply)}`);
    };
    for (const id of ids) await send({ kind: 'claim', call: callIdOf(PBX, id), epoch: 1, worker: WORKER });

    const request = (n: number) => channels.getChannelVar({ channelId: channelOf(n), variable: 'CHANNEL(state)' });
    let commands = 0;
    const throughFleet = (n: number) => {
      commands += 1;
      const call = callIdOf(PBX, channelOf(n));
      // A repeated id would be answered from memory.
      return send({ kind: 'ari', call, epoch: 1, id: `${call}#${commands}`, request: request(n) });
    };
    const { httpUrl: url, username, password } = pbx;
    const socket = await AriSocket.connect({ url, username, password, apps: ['bench'], onEvent: () => {} });
    owned.push(() => socket.close());
    const directly = async (n: number) => expectOk(await socket.request(request(n)));

    const overBus = (): Promise<unknown> => bus.nc.request(subject, '{}', { timeout: TIMEOUT_MS });

    for (const way of [directly, throughFleet, overBus])
      await pacedRequests({ perSecond: PER_SECOND, ms: WARM_UP_MS }, way);
    const rounds: Round[] = [];
    const before = commands;
    const used = watchCpu(system.pids);
    for (let n = 0; n < ROUNDS; n += 1) {
      const direct = await pacedRequests({ perSecond: PER_SECOND, ms: ROUND_MS }, directly);
      const fleet = await pacedRequests({ perSecond: PER_SECOND, ms: ROUND_MS }, throughFleet);
      rounds.push({ direct, fleet, bus: await pacedRequests({ perSecond: PER_SECOND, ms: BUS_MS }, overBus) });
    }
    return { rounds, coreSeconds: used(), commands: commands - before };
  } finally {
    for (const release of owned.reverse()) await release();
  }
}
