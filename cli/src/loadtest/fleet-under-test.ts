import { setTimeout as wait } from 'node:timers/promises';
import { dialplanFor } from '@callfleet/pbx';
import type { ServiceProcess } from '@callfleet/supervise';
import { type Asterisk, claimPort, type LocalFleet, startLocalFleet } from '@callfleet/testkit';
import type { Victim } from '../../../loadtest/scenarios.ts';
import { ROOT, serviceMain } from '../repository.ts';
import { type PlacedPbx, SimulatedPbxProcess } from '../simulated-pbxs/process.ts';

/** More than any scenario has, so that it is the machine that ends it. */
const MOST_CALLS = 2500;
const NATS_DOWN_MS = 1500;
const METRICS_LIMIT_MS = 900;

/** The whole system on this machine, on simulated PBXs in processes of their own; and what is done to it. */
export class FleetUnderTest {
  readonly system: LocalFleet;
  readonly pbxs: readonly PlacedPbx[];
  readonly #pbxProcesses: readonly SimulatedPbxProcess[];
  readonly #relayPorts: readonly number[];
  #kills = 0;

  private constructor(system: LocalFleet, pbxProcesses: readonly SimulatedPbxProcess[], relayPorts: readonly number[]) {
    this.system = system;
    this.#pbxProcesses = pbxProcesses;
    this.#relayPorts = relayPorts;
    this.pbxs = pbxProcesses.flatMap((process) => process.pbxs);
  }

  static async start(say: (line: string) => void): Promise<FleetUnderTest> {
    const pbxProcesses: SimulatedPbxProcess[] = [];
    // One for each PBX.
    const relayPorts = [await claimPort(), await claimPort()];
    const system = await startLocalFleet({
      serviceMain,
      dialplan: dialplanFor,
      programs: [
        { name: 'idle', file: `${ROOT}/loadtest/programs/idle-call.ts`, extensions: ['100'] },
        { name: 'echo-bot', file: `${ROOT}/examples/echo-bot.ts`, extensions: ['200'] },
        { name: 'ivr', file: `${ROOT}/examples/ivr.ts`, extensions: ['300'] },
        { name: 'transfer', file: `${ROOT}/loadtest/programs/transfer-call.ts`, extensions: ['400'] },
      ],
      async startPbx(name) {
        const process = await SimulatedPbxProcess.start([name]);
        pbxProcesses.push(process);
        const [pbx] = process.pbxs;
        return { ...pbx, stop: () => process.stop() } as unknown as Asterisk;
      },
      config: { telemetry: { level: 'error' }, worker: { maxCalls: MOST_CALLS } },
      relayEnv: (index) => ({ CALLFLEET_TELEMETRY__HTTP__PORT: String(relayPorts[index]) }),
      onLine: (name, line) => say(`${name}: ${line.slice(0, 300)}`),
      onLost: (name, code) => say(`callfleet: ${name} ended (exit code ${code})`),
    });
    return new FleetUnderTest(system, pbxProcesses, relayPorts);
  }

  /** Of all processes now, by kind. */
  get pids(): Readonly<Record<string, readonly number[]>> {
    const { fleet, nats, redis } = this.system;
    const of = (services: readonly ServiceProcess[]) => services.flatMap(({ pid }) => pid ?? []);
    return {
      gateways: of(fleet.gateways),
      workers: of(fleet.workers),
      relays: of(fleet.relays),
      NATS: [nats.pid],
      Redis: [redis.pid],
      PBXs: this.#pbxProcesses.map(({ pid }) => pid),
    };
  }

  /** How late the relays have sent frames in the last seconds, 99th percentile of the worst of them, milliseconds; NaN when none says. */
  async pacingP99Ms(): Promise<number> {
    const texts = await Promise.all(
      this.#relayPorts.map((port) =>
        fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(METRICS_LIMIT_MS) }).then(
          (response) => response.text(),
          () => '',
        ),
      ),
    );
    const values = texts.flatMap((text) => /^callfleet_relay_pacing_error_p99\S* (\S+)/m.exec(text)?.[1] ?? []);
    return values.length === 0 ? Number.NaN : Math.max(...values.map(Number));
  }

  /** `kill -9`, and another in its place. @returns its name */
  async kill(victim: Victim): Promise<string> {
    const { fleet, nats } = this.system;
    this.#kills += 1;
    const substitute = `${victim}-instead-${this.#kills}`;
    if (victim === 'nats') {
      await nats.kill();
      await wait(NATS_DOWN_MS);
      await nats.restart();
      return 'nats-server';
    }
    if (victim === 'relay') {
      const relay = fleet.relays[0] as ServiceProcess;
      await relay.kill();
      await fleet.replaceRelay(relay.name, substitute);
      return relay.name;
    }
    const [killed] = victim === 'worker' ? fleet.workers : fleet.gateways;
    await killed?.kill();
    if (victim === 'worker') await fleet.addWorker(substitute, {});
    else await fleet.addGateway(substitute);
    return killed?.name ?? '';
  }

  stop(): Promise<void> {
    return this.system.stop();
  }
}
