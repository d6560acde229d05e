import { chaosGateway } from './gateway.ts';
import { chaosNats } from './nats.ts';
import { chaosRelay } from './relay.ts';
import { chaosRollout } from './rollout.ts';
import { chaosWorker } from './worker.ts';

const CHAOS: Readonly<Record<string, () => Promise<number>>> = {
  worker: chaosWorker,
  gateway: () => chaosGateway({ mirror: true }),
  'gateway-without-mirror': () => chaosGateway({ mirror: false }),
  nats: chaosNats,
  relay: chaosRelay,
  rollout: chaosRollout,
};

/** Kills parts of the fleet under live calls. @returns the exit code */
export async function chaosCommand(what: string): Promise<number> {
  const chaos = CHAOS[what];
  if (chaos) return chaos();
  console.error(`callfleet: there is no chaos "${what}"; there are: ${Object.keys(CHAOS).join(', ')}`);
  return 1;
}
