import { channels } from '@callfleet/ari';
import { PbxRefusedError } from '../errors.ts';
import type { SnoopOptions } from '../party.ts';
import type { CallScope } from './call-scope.ts';
import { isStartOf } from './channel-events.ts';
import type { Operation } from './operation.ts';

/** Makes a snoop channel, and waits until it is there. @throws PbxRefusedError, or the signal's reason */
export async function startSnoop(
  operation: Operation,
  scope: CallScope,
  {
    channelId,
    snoopId,
    until,
    spy,
    whisper,
  }: SnoopOptions & { channelId: string; snoopId: string; until: AbortSignal },
): Promise<void> {
  const started = scope.events.first((event) => isStartOf(event, snoopId), until);
  started.catch(() => {});
  const { status, reason } = await operation.command(
    channels.snoopChannelWithId({ channelId, snoopId, spy, whisper, app: scope.host.app }),
  );
  // One that is there already is answered 500: its StasisStart was told to an earlier owner.
  if (status >= 400 && !(await hasHappened(started))) throw PbxRefusedError.of(operation.name, status, reason);
  await started;
}

/** Whether it is known already: one turn of the event loop, no more. */
async function hasHappened(happening: Promise<unknown>): Promise<boolean> {
  const notYet = new Promise<boolean>((resolve) => setImmediate(resolve, false));
  return Promise.race([happening.then(() => true), notYet]);
}
