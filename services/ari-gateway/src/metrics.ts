import type { CommandReply } from '@callfleet/bus';
import { meter, Tally } from '@callfleet/telemetry';
import type { Attributes } from '@opentelemetry/api';
import type { Shard } from './shard-assignment.ts';

export const filedOffers = new Tally(
  'callfleet.offers.filed',
  { description: 'Offers filed for workers, by why', unit: '{offer}', attribute: 'callfleet.reason' },
  ['new', 'worker-gone', 'worker-stops', 'gateway-gone'],
);

export const givenBackCalls = new Tally(
  'callfleet.calls.given_back',
  { description: 'Calls given back to the dialplan, by why', unit: '{call}', attribute: 'callfleet.reason' },
  ['not-claimed'],
);

const refusedCommands = new Tally(
  'callfleet.commands.refused',
  { description: 'Commands not executed, or not known to be, by code', unit: '{command}', attribute: 'callfleet.code' },
  ['CF_COMMAND_FENCED', 'CF_CALL_RELEASED', 'CF_PBX_NO_ANSWER'],
);

export const repeatedCommands = meter.createCounter('callfleet.commands.repeated', {
  description: 'Commands that came again and were answered from memory',
  unit: '{command}',
});
repeatedCommands.add(0);

const commandDuration = meter.createHistogram('callfleet.command.duration', {
  description: 'A command at its PBX',
  unit: 'ms',
  advice: { explicitBucketBoundaries: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
});

const reconnects = meter.createCounter('callfleet.shard.reconnects', {
  description: "Times that a shard's lost event socket was made again",
  unit: '{connection}',
});

/** @returns the reply */
export function countRefusal(reply: CommandReply): CommandReply {
  if (!reply.ok) refusedCommands.count(reply.code);
  return reply;
}

/** Measures how long the PBX takes. @returns the reply */
export function measureCommand(
  { method, route }: { method: string; route: string },
  reply: Promise<CommandReply>,
): Promise<CommandReply> {
  const from = performance.now();
  const record = (statusClass: string) =>
    commandDuration.record(performance.now() - from, {
      'http.request.method': method,
      'http.route': route,
      'callfleet.status_class': statusClass,
    });
  reply.then(
    (known) => record(known.ok ? `${Math.floor(known.status / 100)}xx` : 'none'),
    () => record('none'),
  );
  return reply;
}

const attributesOf = ({ pbx, shard }: Shard): Attributes => ({ 'callfleet.pbx': pbx, 'callfleet.shard': shard });

/** Counts the connections of one shard's event socket. @returns to be called for each */
export function connectionCounter(shard: Shard): () => void {
  const attributes = attributesOf(shard);
  let isFirst = true;
  reconnects.add(0, attributes);
  return () => {
    if (!isFirst) reconnects.add(1, attributes);
    isFirst = false;
  };
}

/** A shard in this gateway's hands. */
export interface HeldShard extends Shard {
  readonly connected: boolean;
  /** Calls on it that have not ended. */
  readonly calls: number;
}

export function watchShards(held: () => Iterable<HeldShard>): void {
  const connected = meter.createObservableGauge('callfleet.shard.connected', {
    description: '1 while the event socket of a shard that this gateway holds stands',
    unit: '1',
  });
  const calls = meter.createObservableGauge('callfleet.shard.calls', {
    description: 'Calls on a shard that this gateway holds',
    unit: '{call}',
  });
  meter.addBatchObservableCallback(
    (result) => {
      for (const shard of held()) {
        const attributes = attributesOf(shard);
        result.observe(connected, shard.connected ? 1 : 0, attributes);
        result.observe(calls, shard.calls, attributes);
      }
    },
    [connected, calls],
  );
}
