import { CallPrivateError } from '../errors.ts';
import type { Leg, SnoopOptions } from '../party.ts';
import type { Recording, RecordOptions } from '../recording.ts';
import type { CallScope } from './call-scope.ts';
import { ChannelLeg } from './channel-leg.ts';
import type { ChannelParty, PartyMaker } from './channel-party.ts';
import { startSnoop } from './snoop.ts';
import { SnoopRecording } from './snoop-recording.ts';

/** Recordings and snoops, of the caller and of legs alike. */
export function partyMaker(scope: CallScope): PartyMaker {
  const maker: PartyMaker = {
    record(party: ChannelParty, options: RecordOptions): Promise<Recording> {
      if (scope.privacy.on) return Promise.reject(new CallPrivateError('record: the call is private'));
      const recording = new SnoopRecording(scope, party, options);
      return party.ask('record', (operation) => recording.begin(operation), {
        undo: (operation) => recording.end(operation),
        revive: (): Recording => recording.begun(),
      });
    },
    snoop(party: ChannelParty, { spy = 'both', whisper = 'none' }: SnoopOptions): Promise<Leg> {
      const leg = new ChannelLeg(scope, scope.newId('snoop'), maker);
      return party.ask(
        'snoop',
        (operation) =>
          startSnoop(operation, scope, {
            channelId: party.channelId,
            snoopId: leg.channelId,
            until: party.until(operation),
            spy,
            whisper,
          }),
        { revive: (): Leg => leg },
      );
    },
  };
  return maker;
}
