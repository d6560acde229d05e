import { cancelCall, connectBus } from '@callfleet/bus';
import { loadConfig } from '@callfleet/config';
import { isCallId } from '@callfleet/identity';
import { OptionError } from '../option-values.ts';

/** Takes back one call that was placed. @throws CancelError, BusError, ConfigError, OptionError */
export async function cancelCommand(call: string, options: { config: string }): Promise<void> {
  if (!isCallId(call)) throw new OptionError(`"${call}" is no call; accepted: an id as \`originate\` prints it`);
  const config = loadConfig({ file: options.config, service: 'operator' });
  const bus = await connectBus({ ...config.nats, name: 'callfleet cancel' });
  try {
    const state = await cancelCall(bus, call);
    console.log(state === 'cancelled' ? `call ${call} is cancelled` : `call ${call} was over already`);
  } finally {
    await bus.close();
  }
}
