import type { Channel, ChannelEnd } from './channel.ts';

/** The far end of a media leg: somebody who speaks one of Asterisk's three transports. */
export interface MediaLeg extends ChannelEnd {
  /** As in the channel's name and in Dial. */
  readonly name: string;
  readonly dialstring: string;
  /** By which the other end finds it. */
  readonly variables: Readonly<Record<string, string>>;
  /** Is called once, when the leg is there and its channel made. */
  begin(channel: Channel, control: LegControl): void;
}

/** What a leg does to its channel. */
export interface LegControl {
  up(): void;
  hangUp(): void;
}
