import { setTimeout as wait } from 'node:timers/promises';
import { connectBus, type OriginateOutcome, originateCall } from '@callfleet/bus';
import { loadConfig } from '@callfleet/config';
import { durationMs, OptionError, pairsOf } from '../option-values.ts';

export interface OriginateCommandOptions {
  config: string;
  program: string;
  to: string;
  /** Default: any, by weight. */
  pbx?: string | undefined;
  callerId?: string | undefined;
  timeout: string;
  /** `NAME=value`. */
  variable?: readonly string[] | undefined;
  /** Wait for the outcome. */
  wait: boolean;
}

/** A worker must take the call before it rings, and its record is written after that; milliseconds. */
const AROUND_RINGING_MS = 30_000;

/** Places one call, and tells what became of it. @returns the exit code: 0 when it was answered @throws OriginateError, BusError, ConfigError */
export async function originateCommand(options: OriginateCommandOptions): Promise<number> {
  const { program, to, pbx, callerId } = options;
  const ringTimeoutMs = Math.max(1, Math.round(durationMs(options.timeout, '--timeout')));
  const variables = pairsOf(options.variable ?? [], '--variable');
  const config = loadConfig({ file: options.config, service: 'operator' });
  const bus = await connectBus({ ...config.nats, name: 'callfleet originate' });
  try {
    const call = await originateCall(bus, {
      program,
      to,
      pbxs: pbx === undefined ? config.pbxs : [{ name: nameIn(config, pbx) }],
      ...(callerId !== undefined && { callerId: { number: callerId } }),
      ringTimeoutMs,
      variables,
    });
    console.log(`call ${call.id} is placed on ${call.pbx}`);
    if (!options.wait) return 0;
    const limitMs = ringTimeoutMs + AROUND_RINGING_MS;
    const outcome = await Promise.race([call.outcome(), wait(limitMs, undefined, { ref: false })]);
    console.log(outcome ? tell(outcome) : `nothing is known of it after ${limitMs / 1000} s`);
    return outcome?.outcome === 'answered' ? 0 : 1;
  } finally {
    await bus.close();
  }
}

function nameIn({ pbxs }: { pbxs: readonly { name: string }[] }, wanted: string): string {
  if (pbxs.some(({ name }) => name === wanted)) return wanted;
  throw new OptionError(`--pbx: there is no PBX "${wanted}"; there is ${pbxs.map(({ name }) => name).join(', ')}`);
}

function tell(result: OriginateOutcome): string {
  if (result.outcome === 'answered') return 'answered: its program runs';
  const { outcome, cause, status, error } = result;
  const why = error ? `${error.message} [${error.code}]` : (status ?? (cause && `${cause.code} ${cause.text}`));
  return why === undefined ? outcome : `${outcome}: ${why}`;
}
