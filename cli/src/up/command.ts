import { resolve } from 'node:path';
import { legListeners, loadConfig } from '@callfleet/config';
import { Fleet, planRelays } from '@callfleet/supervise';
import { serviceMain } from '../repository.ts';
import { aborted, stopSignal } from '../signals.ts';

export interface UpOptions {
  config: string;
}

/** Starts the fleet that the configuration describes, on this machine, until Ctrl-C. @returns the exit code */
export async function upCommand(options: UpOptions): Promise<number> {
  const configFile = resolve(options.config);
  const config = loadConfig({ file: configFile });
  const stop = stopSignal();
  const lost = Promise.withResolvers<string>();

  const fleet = await Fleet.start({
    configFile,
    serviceMain,
    gateways: config.up.gateways,
    workers: config.up.workers,
    relays: planRelays(
      config.pbxs.map((pbx) => pbx.zone),
      config.up.relaysPerZone,
      config.relay.rtp,
      legListeners(config),
    ),
    httpPortFrom: config.up.httpPortFrom,
    onLine: (name, line) => console.log(`${name.padEnd(12)} ${line}`),
    onLost: (name, code) => lost.resolve(`${name} ended by itself (exit code ${code})`),
  });
  const count = [fleet.gateways, fleet.workers, fleet.relays].map((services) => services.length);
  console.log(
    `callfleet: up: ${count[0]} gateways, ${count[1]} workers, ${count[2]} relays for ${config.pbxs.length} PBXs. Ctrl-C stops it.`,
  );
  const why = await Promise.race([lost.promise, aborted(stop).then(() => undefined)]);
  if (why !== undefined) console.error(`callfleet: ${why}; stopping the others`);
  await fleet.stop();
  return why === undefined ? 0 : 1;
}
