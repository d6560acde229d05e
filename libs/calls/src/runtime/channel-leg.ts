import { channels } from '@callfleet/ari';
import { LegEndedError } from '../errors.ts';
import type { OperationOptions } from '../operation-options.ts';
import type { Leg, LegEnd } from '../party.ts';
import { abortable } from './abortable.ts';
import type { CallScope } from './call-scope.ts';
import { endOf } from './channel-end.ts';
import { isEndOf } from './channel-events.ts';
import { ChannelParty, type PartyMaker } from './channel-party.ts';
import { FollowedChannel } from './followed-channel.ts';

/** A channel that the call has made: somebody who was dialled, or a snoop. */
export class ChannelLeg extends ChannelParty implements Leg {
  readonly #ended: Promise<LegEnd>;

  constructor(scope: CallScope, channelId: string, makes: PartyMaker) {
    const over = new AbortController();
    const channel = new FollowedChannel(channelId);
    scope.events.subscribe((event) => channel.hear(event));
    super({ scope, channel, prefix: 'leg.', over: over.signal, makes });
    const ended = Promise.withResolvers<LegEnd>();
    this.#ended = ended.promise;
    scope.events.subscribe((event) => {
      if (!isEndOf(event, channel.id)) return;
      over.abort(new LegEndedError());
      ended.resolve(endOf(scope, channel.id, event));
    });
    scope.removeAtEnd((operation) =>
      Promise.all(channel.ids.map((id) => operation.remove(channels.hangup({ channelId: id })))),
    );
  }

  ended(options?: OperationOptions): Promise<LegEnd> {
    return this.scope.ask('leg.ended', ({ signal }) => abortable(this.#ended, signal), { options });
  }
}
